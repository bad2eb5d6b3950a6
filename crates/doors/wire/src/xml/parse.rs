//! From bytes to elements.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

use crate::{
    limits::{XML_ATTRIBUTES, XML_DEPTH, XML_ELEMENTS},
    xml::{Element, XmlError},
};

/// The root element of a document.
pub fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| syntax("not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        match reader.read_event().map_err(syntax)? {
            Event::Start(start) if root.is_none() => {
                count += 1;
                if open.len() == XML_DEPTH || count > XML_ELEMENTS {
                    return Err(XmlError::TooMuch);
                }
                open.push(element(&start)?);
            }
            Event::End(_) => {
                let closed = open.pop().ok_or_else(|| syntax("an end without a start"))?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => root = Some(closed),
                }
            }
            Event::Text(text) => add_text(&mut open, &text.xml10_content())?,
            Event::CData(text) => add_text(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                add_text(&mut open, resolve(&reference)?.encode_utf8(&mut [0; 4]))?
            }
            Event::DocType(_) => return Err(syntax("a document type is not allowed")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return root.ok_or_else(|| syntax("it ends too early")),
            Event::Start(_) | Event::Empty(_) => return Err(syntax("more than one root")),
        }
    }
}

fn syntax(error: impl ToString) -> XmlError {
    XmlError::Syntax(error.to_string())
}

fn element(start: &BytesStart<'_>) -> Result<Element, XmlError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        if attributes.len() == XML_ATTRIBUTES {
            return Err(XmlError::TooMuch);
        }
        let attribute = attribute.map_err(syntax)?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(syntax)?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element {
        name: start.local_name().as_ref().to_owned(),
        attributes,
        ..Element::default()
    })
}

/// Text belongs to the innermost open element; outside the root only blanks may stand.
fn add_text(open: &mut [Element], text: &str) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => element.text += text,
        None if text.trim().is_empty() => {}
        None => return Err(syntax("text outside the root")),
    }
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    if let Some(c) = reference.resolve_char_ref().map_err(syntax)? {
        return Ok(c);
    }
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(syntax(format!("unknown entity {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let text = "<?xml version=\"1.0\"?>\n<!-- x --><s:A xmlns:s='u' k='1&amp;2'> <B>a&lt;&#13;<![CDATA[<&]]></B><C/></s:A>\n";
        let root = parse(text.as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.text.as_str()), ("A", " "));
        assert_eq!(root.attributes[1], ("k".to_owned(), "1&2".to_owned()));
        assert_eq!(root.child_text("B"), Some("a<\r<&"));
        assert_eq!(root.child_text("C"), Some(""));
    }

    #[test]
    fn what_is_not_xml_or_dangerous_is_refused() {
        for bad in [
            "",
            "text",
            "<A>",
            "<A></B>",
            "</A>",
            "<A/><B/>",
            "<A/>x",
            "<A>&unknown;</A>",
            "<A>&#0;</A>",
            "<A k=1/>",
            "<!DOCTYPE A [<!ENTITY x \"y\">]><A>&x;</A>",
        ] {
            assert!(
                matches!(parse(bad.as_bytes()), Err(XmlError::Syntax(_))),
                "{bad}"
            );
        }
        assert!(parse(b"<A>\xff</A>").is_err());
        let deep = "<A>".repeat(XML_DEPTH + 1);
        assert_eq!(parse(deep.as_bytes()), Err(XmlError::TooMuch));
        let wide = format!("<A>{}</A>", "<B/>".repeat(XML_ELEMENTS));
        assert_eq!(parse(wide.as_bytes()), Err(XmlError::TooMuch));
        let attributes: String = (0..=XML_ATTRIBUTES).map(|i| format!(" a{i}=''")).collect();
        assert_eq!(
            parse(format!("<A{attributes}/>").as_bytes()),
            Err(XmlError::TooMuch)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_a_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_markup_is_taken_without_a_panic(text in "[<>/A&;#x0-9\"'=! \\[\\]?-]{0,60}") {
            let _ = parse(text.as_bytes());
        }
    }
}
