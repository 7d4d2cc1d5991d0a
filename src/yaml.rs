//! YAML with the place of every value, so that diagnostics can point. The only file that names the YAML package.

use std::ops::Range;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where, as bytes of the file.
    pub range: Range<usize>,
    /// What.
    pub value: Value,
}

/// What a YAML value is. Scalars stay text: `no` is not a boolean here until a schema asks for one.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `~`, `null`, or nothing.
    Null,
    /// Any other scalar, as text; true when it stood in quotes or a block.
    Scalar(String, bool),
    /// A list.
    List(Vec<Node>),
    /// A map, keys in order, each with its place.
    Map(Vec<(Node, Node)>),
}

/// A syntax error and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where, as bytes of the file.
    pub range: Range<usize>,
    /// What is wrong, in plain English.
    pub problem: String,
    /// What to do about it.
    pub remedy: Option<String>,
}
