//! Texts with stars in them: `*` stands for any characters, `\*` and `\\` for themselves.

/// A text with stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    /// What stands between the stars, at least one.
    pieces: Vec<String>,
}

impl Wildcard {
    /// A text in which nothing stands for a star itself.
    pub fn without_escapes(text: &str) -> Self {
        Self {
            pieces: text.split('*').map(str::to_owned).collect(),
        }
    }

    /// Parses `text`; the error is AWS's text, whose position counts the quote that opens the text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut piece) = (Vec::new(), String::new());
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            match (c, next) {
                ('*', Some('*')) => {
                    return Err(format!("Consecutive wildcard characters at pos {}", at + 1));
                }
                ('*', _) => pieces.push(std::mem::take(&mut piece)),
                ('\\', Some(escaped @ ('*' | '\\'))) => {
                    piece.push(escaped);
                    chars.next();
                }
                ('\\', _) => {
                    return Err(format!("Invalid escape character at pos {}", at + 1));
                }
                (c, _) => piece.push(c),
            }
        }
        pieces.push(piece);
        Ok(Self { pieces })
    }

    /// Whether `text` is of this form. Each piece is looked for behind the one before it, so the time is that of a
    /// search a piece.
    pub fn matches(&self, text: &str) -> bool {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else {
            return false;
        };
        if self.pieces.len() == 1 {
            return text == first;
        }
        let Some(mut rest) = text.strip_prefix(&**first) else {
            return false;
        };
        for piece in &self.pieces[1..self.pieces.len() - 1] {
            let Some(at) = rest.find(&**piece) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(&**last)
    }
}
