/// How a statement looks, and what it says at its end.
extension StatementPage {
    static let style: StaticString = """
        :root { color-scheme: light; }
        body { margin: 0 auto; padding: 3rem 2rem; max-width: 60rem; color: #1b1d21;
          background: #fff; font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
        header { border-bottom: 2px solid #1b1d21; padding-bottom: 1.25rem; }
        .kind { margin: 0; color: #50555e; }
        h1 { margin: 0 0 1rem; font-size: 2rem; line-height: 1.2; font-weight: 600; }
        h1, h2, th, td, dd { overflow-wrap: anywhere; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; margin: 0; }
        dt { color: #50555e; }
        dd { margin: 0; font-variant-numeric: tabular-nums; }
        section { margin-top: 2.25rem; }
        h2 { margin: 0; font-size: 1.25rem; font-weight: 600; break-after: avoid; }
        table { width: 100%; border-collapse: collapse;
          font-variant-numeric: tabular-nums lining-nums; }
        caption { padding: 0 0 .6rem; text-align: left; color: #50555e; }
        th, td { padding: .4rem .75rem .4rem 0; text-align: left; vertical-align: top; }
        th:last-child, td:last-child { padding-right: 0; }
        th { font-weight: 400; }
        thead th { font-size: .87em; font-weight: 600; border-bottom: 1.5px solid #1b1d21; }
        tbody { break-inside: avoid; }
        tbody tr:first-child > * { border-top: 1px solid #dcdfe4; }
        .n { text-align: right; }
        td.n { min-width: 3.5rem; }
        .id { min-width: 9rem; font: .8em/1.6 ui-monospace, Menlo, Consolas, monospace; }
        .id, .zone, .part { color: #50555e; }
        .sub > * { padding-top: .15rem; }
        .sub th { padding-left: 1.25rem; }
        .now > * { font-weight: 600; }
        tfoot { display: table-row-group; break-before: avoid; }
        tfoot > tr > * { font-weight: 600; border-top: 1.5px solid #1b1d21; }
        .words { text-align: right; }
        footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid #dcdfe4;
          color: #50555e; font-size: .87em; break-inside: avoid; }
        footer p { margin: 0 0 .5rem; max-width: 46rem; }
        code { font: .93em ui-monospace, Menlo, Consolas, monospace; }
        @page { margin: 16mm 14mm 18mm;
          @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
        @media print {
          body { padding: 0; max-width: none; font-size: 9pt; }
          thead { display: table-header-group; }
        }

        """

    static let foot: StaticString = """
        <footer>
        <p>How each number can be explained: every line names its usage record, which never \
        changes. <code>GET /v1/usage-records/{id}</code> answers with it: value, amount, events, \
        and the position of the log up to which it knows; <code>GET /v1/usage</code> with \
        <code>asOf</code> that position derives the value again.</p>
        <p>Value is the reading of a period; amount is what a record adds to all that was told \
        before, and an adjustment what was learned after the close. Numbers are exact decimals. \
        Periods that are not closed yet are left out. Times stand as the clocks of their zones \
        showed them, with the offset from UTC. This statement says what was used, and not what \
        is to be paid.</p>
        </footer>

        """
}
