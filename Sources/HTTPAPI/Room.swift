// room HTTPAPI
