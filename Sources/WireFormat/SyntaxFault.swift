/// Where bytes stop being JSON, in words.
enum SyntaxFault: String {
    case bodyEmpty = "the body is empty"
    case unexpectedEnd = "the body ends in the middle of a value"
    case value = "expected a JSON value"
    case name = "expected a member name in double quotes"
    case colon = "expected \":\" after a member name"
    case commaOrBrace = "expected \",\" or \"}\""
    case commaOrBracket = "expected \",\" or \"]\""
    case digit = "expected a digit"
    case leadingZero = "a number has no leading zeros"
    case stringEnd = "the string does not end"
    case trailing = "expected nothing after the value"
    case cloudEventObject =
        "application/cloudevents+json holds one object; for an array send cloudevents-batch+json"
    case batchArray = "application/cloudevents-batch+json holds an array of events"
    case eventOrEvents = "expected an event (an object) or an array of events"
}
