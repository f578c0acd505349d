//! A YAML document as a tree, as far as the conformance files need one.

use std::iter::Peekable;

use saphyr_parser::{Event, Parser};

/// A node of a document; every scalar is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    pub(crate) fn at(&self, key: &str) -> &Node {
        self.get(key)
            .unwrap_or_else(|| panic!("{key} is missing in {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Scalar(text) => text,
            other => panic!("not a scalar: {other:?}"),
        }
    }

    pub(crate) fn list(&self) -> &[Node] {
        match self {
            Self::List(nodes) => nodes,
            other => panic!("not a list: {other:?}"),
        }
    }

    pub(crate) fn number(&self) -> usize {
        self.text().parse().expect("a number")
    }
}

pub(crate) fn parse(source: &str) -> Node {
    let mut events = Parser::new_from_str(source)
        .map(|event| event.expect("well-formed YAML").0)
        .filter(|event| {
            !matches!(
                event,
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing
            )
        })
        .peekable();
    node(&mut events)
}

fn node<'a>(events: &mut Peekable<impl Iterator<Item = Event<'a>>>) -> Node {
    match events.next().expect("a node") {
        Event::Scalar(text, ..) => Node::Scalar(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut nodes = Vec::new();
            while events
                .next_if(|event| matches!(event, Event::SequenceEnd))
                .is_none()
            {
                nodes.push(node(events));
            }
            Node::List(nodes)
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            while events
                .next_if(|event| matches!(event, Event::MappingEnd))
                .is_none()
            {
                let Node::Scalar(key) = node(events) else {
                    panic!("a key that is no scalar")
                };
                entries.push((key, node(events)));
            }
            Node::Map(entries)
        }
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn a_document_becomes_a_tree() {
    let document = parse("a:\n  - text: \"x\\u00e9\\U0001F600\"\n    expected: [b, \"c d\"]\n  - {n: 3}\n");
    let cases = document.at("a").list();
    assert_eq!(cases[0].at("text").text(), "xé😀");
    assert_eq!(cases[0].at("expected").list()[1].text(), "c d");
    assert_eq!(cases[1].at("n").number(), 3);
    assert_eq!(cases[1].get("m"), None);
}
