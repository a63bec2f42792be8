// room SQLiteLedger
