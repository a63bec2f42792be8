// room MeteringTestKit
