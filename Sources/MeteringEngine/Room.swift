// room MeteringEngine
