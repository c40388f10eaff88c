"""Reports of a month or a quarter: as pages, as PDF and as spreadsheet, all from one telling."""
