// room Compression
