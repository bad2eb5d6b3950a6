//! Metadata that is not ASCII, as headers carry it: encoded words of RFC 2047. S3 decodes those that it is sent and encodes
//! what it answers. (The encodings that it chooses are those of Java's mail library, as answers recorded on AWS show.)

use base64::{Engine, engine::general_purpose::STANDARD};

/// Bytes of the text of a word, so that it has 75 with the rest.
const WORD_BYTES: usize = 63;

/// The text behind words that are encoded; what is not, or cannot be decoded, is left as it is.
pub fn decode(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        match word_of(word) {
            Some((plain, after)) => {
                // Blanks between two words only separate them.
                if !(after_word && before.trim().is_empty()) {
                    decoded += before;
                }
                decoded += &plain;
                rest = after;
                after_word = true;
            }
            None => {
                decoded += before;
                decoded += "=?";
                rest = &word[2..];
                after_word = false;
            }
        }
    }
    decoded + rest
}

/// The text of the word that `text` begins with, and what stands behind.
fn word_of(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (body, after) = rest.split_once("?=")?;
    if !charset.eq_ignore_ascii_case("utf-8") || body.contains(' ') {
        return None;
    }
    let bytes = match encoding {
        "Q" | "q" => of_quotes(body)?,
        "B" | "b" => STANDARD.decode(body).ok()?,
        _ => return None,
    };
    Some((String::from_utf8(bytes).ok()?, after))
}

fn of_quotes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    Some(bytes)
}

/// The text as a header carries it: as it is where it is ASCII, else in words of the encoding that is shorter for it.
pub fn encode(text: &str) -> String {
    let (mut plain, mut other) = (0, 0);
    for c in text.chars() {
        match is_plain(c) {
            true => plain += c.len_utf16(),
            false => other += c.len_utf16(),
        }
    }
    if other == 0 {
        return text.to_owned();
    }
    let mut words = Vec::new();
    encode_words(text, plain > other, &mut words);
    words.join(" ")
}

fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\t')
}

/// Appends the words of `text`, which is cut in halves until each is short enough.
fn encode_words(text: &str, quoted: bool, words: &mut Vec<String>) {
    let body = match quoted {
        true => quotes(text),
        false => STANDARD.encode(text),
    };
    let count = text.chars().count();
    if body.len() > WORD_BYTES && count > 1 {
        let middle = text.char_indices().nth(count / 2).map_or(0, |(at, _)| at);
        let (first, second) = text.split_at(middle);
        encode_words(first, quoted, words);
        encode_words(second, quoted, words);
    } else {
        words.push(format!(
            "=?UTF-8?{}?{body}?=",
            if quoted { 'Q' } else { 'B' }
        ));
    }
}

fn quotes(text: &str) -> String {
    let mut body = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => body.push('_'),
            b'=' | b'_' | b'?' => body += &format!("={byte:02X}"),
            b'!'..=b'~' => body.push(byte.into()),
            byte => body += &format!("={byte:02X}"),
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts and words that AWS was recorded to answer with.
    #[test]
    fn words_are_those_of_aws() {
        for (text, word) in [
            ("ÄMÄZÕÑ S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
            (
                "test_—_file%E2%80%94_é_2?.pdf",
                "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?=",
            ),
            ("\0\u{1}\u{2}\u{3}", "=?UTF-8?B?AAECAw==?="),
        ] {
            assert_eq!(encode(text), word);
            assert_eq!(decode(word), text);
        }
        assert_eq!(decode("=?UTF-8?Q?actually-ascii?="), "actually-ascii");
        assert_eq!(decode("=?UTF-8?B?YWJj?="), "abc");
        for same in ["=?UTF-8?B?=GGG?=", "=?", "a =? b", "=?utf-8?x?y?=", "abc"] {
            assert_eq!(decode(same), same);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "[^=]{0,200}") {
            prop_assert_eq!(decode(&encode(&text)), text);
        }

        #[test]
        fn any_text_is_decoded_without_a_panic(text in "(=|\\?|UTF-8|Q|B|é|.){0,40}") {
            decode(&text);
        }
    }
}
