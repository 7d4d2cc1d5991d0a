//! HTML to text, and one kind of line end, space, quote and dash.
