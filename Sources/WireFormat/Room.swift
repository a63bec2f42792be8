// room WireFormat
