import UsageModel

/// A statement as one HTML document: no script, nothing from elsewhere, made to be printed.
enum StatementPage {
    static func html(_ statement: Statement) -> [UInt8] {
        var html = HTMLText()
        let (from, to) = (statement.stretch.lowerBound, statement.stretch.upperBound)
        html.markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        html.markup("<meta name=\"viewport\" content=\"width=device-width\">\n<title>")
        html.text("Usage statement: \(title(statement.customer)), ")
        html.text("\(HTMLText.spelled(from.rfc3339)) to \(HTMLText.spelled(to.rfc3339))")
        html.markup("</title>\n<style>\n")
        html.markup(style)
        html.markup("</style>\n</head>\n<body>\n")
        writeHead(statement, &html)
        html.markup("<main>\n")
        if statement.sections.isEmpty {
            html.markup("<p>No period that ended in this time is closed for this customer.</p>\n")
        }
        for (index, section) in statement.sections.enumerated() {
            write(section, number: index + 1, &html)
        }
        html.markup("</main>\n")
        html.markup(foot)
        html.markup("</body>\n</html>\n")
        return html.bytes
    }

    private static func title(_ customer: CustomerDefinition) -> String {
        customer.name.isEmpty ? customer.key.text : customer.name
    }

    private static func writeHead(_ statement: Statement, _ html: inout HTMLText) {
        let customer = statement.customer
        html.markup("<header>\n<p class=\"kind\">Usage statement</p>\n<h1>")
        html.name(title(customer))
        html.markup("</h1>\n<dl>\n<dt>Customer</dt><dd>")
        html.text(customer.key.text)
        html.markup("</dd>\n")
        if !customer.externalRef.isEmpty {
            html.markup("<dt>External reference</dt><dd>")
            html.name(customer.externalRef)
            html.markup("</dd>\n")
        }
        html.markup("<dt>Periods that end</dt><dd>after ")
        html.time(statement.stretch.lowerBound)
        html.markup(", at the latest ")
        html.time(statement.stretch.upperBound)
        html.markup("</dd>\n<dt>Position of the log</dt><dd>")
        html.text(statement.position.description)
        html.markup("</dd>\n<dt>Made</dt><dd>")
        html.time(statement.madeAt)
        html.markup("</dd>\n</dl>\n</header>\n")
    }

    // MARK: A meter type

    private static func write(
        _ section: Statement.Section,
        number: Int,
        _ html: inout HTMLText
    ) {
        html.markup("<section aria-labelledby=\"type-")
        html.text(String(number))
        html.markup("\">\n<h2 id=\"type-")
        html.text(String(number))
        html.markup("\">")
        html.name(section.name.isEmpty ? section.meterType.text : section.name)
        html.markup("</h2>\n<table>\n<caption>Meter type ")
        html.text(section.meterType.text)
        switch section.unit {
        case nil: html.markup(", in several units")
        case "": html.markup(", without a unit")
        case let unit?:
            html.markup(", in ")
            html.name(unit)
        }
        if !section.category.isEmpty {
            html.markup(", category ")
            html.name(section.category)
        }
        html.markup(
            """
            </caption>
            <thead>
            <tr><th scope="col">Subject</th><th scope="col">Period</th>\
            <th scope="col">Usage record</th><th scope="col" class="n">Events</th>\
            <th scope="col" class="n">Value</th><th scope="col" class="n">Amount</th></tr>
            </thead>

            """
        )
        for line in section.lines { write(line, showsUnit: section.unit == nil, &html) }
        html.markup("<tfoot>\n<tr><th scope=\"row\" colspan=\"3\">Sum of amounts</th>")
        writeNumber(String(section.events), &html)
        writeSum(section, &html)
        html.markup("</tr>\n</tfoot>\n</table>\n</section>\n")
    }

    private static func writeSum(_ section: Statement.Section, _ html: inout HTMLText) {
        switch section.sum {
        case .amount(let sum):
            html.markup("<td></td>")
            writeNumber(sum.description, unit: section.unit, &html)
        case .severalUnits:
            html.markup("<td colspan=\"2\" class=\"words\">none: the units differ</td>")
        case .overflow:
            html.markup("<td colspan=\"2\" class=\"words\">none: it is past 1.7·10²⁰</td>")
        }
    }

    /// A number in a cell of its own.
    private static func writeNumber(
        _ spelled: String,
        unit: String? = nil,
        _ html: inout HTMLText
    ) {
        html.markup("<td class=\"n\">")
        html.text(spelled)
        if let unit, !unit.isEmpty {
            html.markup(" ")
            html.name(unit)
        }
        html.markup("</td>")
    }

    // MARK: A period

    private static func write(
        _ line: Statement.Line,
        showsUnit: Bool,
        _ html: inout HTMLText
    ) {
        func unit(_ record: UsageRecord) -> String? { showsUnit ? record.labels.unit : nil }
        html.markup("<tbody>\n<tr><th scope=\"row\">")
        html.name(line.last.meter.subject)
        html.markup("</th><td>")
        writePeriod(line.last, &html)
        html.markup("</td>")
        if let close = line.close {
            writeID(close.id, &html)
            writeNumber(String(close.events), &html)
            writeNumber(spelled(close.value), unit: unit(close), &html)
            writeNumber(amount(close), unit: unit(close), &html)
        } else {
            html.markup("<td colspan=\"4\">What it was at the close is another customer's.</td>")
        }
        html.markup("</tr>\n")
        for part in line.close?.late ?? [] { write(part, &html) }
        for record in line.adjustments {
            html.markup("<tr class=\"sub\"><th scope=\"row\">Adjustment ")
            html.text(String(record.revision))
            html.markup("</th><td>made ")
            html.time(record.createdAt)
            if let other = record.toldIn {
                html.markup(", amount in ")
                html.text(other.text)
            }
            html.markup("</td>")
            writeID(record.id, &html)
            writeNumber(signed(record.eventsDelta), &html)
            writeNumber(signed(record.delta), unit: unit(record), &html)
            writeNumber(amount(record), unit: unit(record), &html)
            html.markup("</tr>\n")
            for part in record.late { write(part, &html) }
        }
        if !line.adjustments.isEmpty {
            html.markup("<tr class=\"sub now\"><th scope=\"row\">Adjusted value</th>")
            html.markup("<td colspan=\"2\"></td>")
            writeNumber(String(line.last.events), &html)
            writeNumber(spelled(line.last.value), unit: unit(line.last), &html)
            html.markup("<td></td></tr>\n")
        }
        html.markup("</tbody>\n")
    }

    private static func writePeriod(_ record: UsageRecord, _ html: inout HTMLText) {
        html.time(record.period.lowerBound, local: record.localStart)
        html.markup(" –<br>")
        html.time(record.period.upperBound, local: record.localEnd)
        if !record.zone.isEmpty {
            html.markup("<br><span class=\"zone\">")
            html.text(record.zone)
            html.markup("</span>")
        }
    }

    private static func writeID(_ id: UsageRecordID, _ html: inout HTMLText) {
        html.markup("<td class=\"id\">")
        html.text(id.text)
        html.markup("</td>")
    }

    /// What the amount above holds of an earlier period.
    private static func write(_ part: UsageRecord.LatePart, _ html: inout HTMLText) {
        html.markup("<tr class=\"sub\"><th scope=\"row\">of it, late</th><td>")
        html.time(part.period.lowerBound)
        html.markup(" –<br>")
        html.time(part.period.upperBound)
        html.markup("</td>")
        writeID(part.id, &html)
        writeNumber(signed(part.events), &html)
        html.markup("<td></td><td class=\"n part\">(")
        html.text(signed(part.delta))
        html.markup(")</td></tr>\n")
    }

    // MARK: Numbers

    private static func spelled(_ value: Quantity?) -> String { value?.description ?? "none" }

    private static func signed(_ value: Quantity) -> String {
        value > .zero ? "+\(value)" : value.description
    }

    private static func signed(_ count: Int64) -> String { count > 0 ? "+\(count)" : "\(count)" }

    private static func amount(_ record: UsageRecord) -> String {
        (try? record.amount())?.description ?? "past 1.7·10²⁰"
    }
}
