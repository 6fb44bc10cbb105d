//! From the text of an expression to a weighted sum of columns.

use std::borrow::Cow;
use std::ops::Range;

/// Deepest nesting of parentheses; deeper text is no contrast.
const DEEPEST: usize = 64;

/// A weighted column, glob of columns, or mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub(super) weight: f64,
    pub(super) source: Source,
    /// The bytes of the expression it stands at.
    pub(super) range: Range<usize>,
}

/// What a term is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// A column, or, where it stood in backticks, possibly a glob.
    Column { text: String, quoted: bool },
    /// The mean over all rows of some sums.
    Mean(Vec<Vec<Term>>),
}

/// Why a text is no linear expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ExpressionError {
    pub(super) code: &'static str,
    /// The bytes of the expression meant.
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<Cow<'static, str>>,
}

fn syntax(range: Range<usize>, message: impl Into<String>) -> ExpressionError {
    ExpressionError { code: "contrast-syntax", range, message: message.into(), hint: None }
}

fn not_linear(range: Range<usize>, message: &str, hint: &'static str) -> ExpressionError {
    ExpressionError { code: "contrast-not-linear", range, message: message.to_owned(), hint: Some(hint.into()) }
}

/// Reads an expression that must come to a weighted sum of columns.
pub(super) fn linear_form(text: &str) -> Result<Vec<Term>, ExpressionError> {
    let mut reader = Reader { tokens: tokens(text)?, next: 0, end: text.len() };
    let (value, range) = reader.sum(0)?;
    if let Some((token, range)) = reader.peek() {
        return Err(syntax(range.clone(), format!("expected an operator, found {}", token.describe())));
    }
    terms_of(value, range)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Quoted(String),
    Symbol(char),
}

impl Token {
    fn describe(&self) -> String {
        match self {
            Self::Number(number) => format!("the number {number}"),
            Self::Name(name) | Self::Quoted(name) => format!("`{name}`"),
            Self::Symbol(symbol) => format!("`{symbol}`"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, ExpressionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let taken = |keep: fn(char) -> bool| text[at..].find(|c| !keep(c)).map_or(text.len(), |length| at + length);
        let (token, stop) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '+' | '-' | '*' | '/' | '(' | ')' | ',' => (Token::Symbol(first), at + 1),
            '`' => {
                let start = at + 1;
                let stop = text[start..].find('`').map(|length| start + length);
                let stop = stop.ok_or_else(|| syntax(at..text.len(), "a backtick without its partner"))?;
                (Token::Quoted(text[start..stop].to_owned()), stop + 1)
            }
            'A'..='Z' | 'a'..='z' | '_' => {
                let stop = taken(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
                (Token::Name(text[at..stop].to_owned()), stop)
            }
            '0'..='9' | '.' => {
                let stop = number_end(text, at);
                let number = text[at..stop].parse::<f64>().ok().filter(|number| number.is_finite());
                // digits that run on into a name are a column that needs backticks
                let runs_on = text[stop..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
                match number {
                    Some(number) if !runs_on => (Token::Number(number), stop),
                    _ => {
                        let stop = taken(|c| c.is_alphanumeric() || c == '_' || c == '.');
                        let mut error =
                            syntax(at..stop, format!("`{}` is neither a number nor a name", &text[at..stop]));
                        error.hint =
                            Some("a column whose name does not start with a letter stands in backticks".into());
                        return Err(error);
                    }
                }
            }
            _ => {
                let mut error = syntax(at..at + first.len_utf8(), format!("unexpected character `{first}`"));
                error.hint = Some(match first {
                    '>' => format!("write a difference: \"{}\"", text.replace('>', "-")).into(),
                    _ => {
                        "columns with other characters than letters, digits, `_` and `.`, and globs, stand in backticks"
                            .into()
                    }
                });
                return Err(error);
            }
        };
        found.push((token, at..stop));
        at = stop;
    }
    Ok(found)
}

/// End of the number that starts at `at`: digits, a point, digits, an exponent.
fn number_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| (from..bytes.len()).find(|&i| !bytes[i].is_ascii_digit()).unwrap_or(bytes.len());
    let mut stop = digits(at);
    if bytes.get(stop) == Some(&b'.') {
        stop = digits(stop + 1);
    }
    if matches!(bytes.get(stop), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(stop + 1), Some(b'+' | b'-')));
        let exponent = digits(stop + 1 + sign);
        if exponent > stop + 1 + sign {
            stop = exponent;
        }
    }
    stop
}

/// What a part of an expression comes to.
enum Value {
    Number(f64),
    Columns(Vec<Term>),
}

impl Value {
    fn times(self, factor: f64) -> Self {
        match self {
            Self::Number(number) => Self::Number(number * factor),
            Self::Columns(terms) => {
                Self::Columns(terms.into_iter().map(|term| Term { weight: term.weight * factor, ..term }).collect())
            }
        }
    }
}

type Part = (Value, Range<usize>);

struct Reader {
    tokens: Vec<(Token, Range<usize>)>,
    next: usize,
    end: usize,
}

impl Reader {
    fn peek(&self) -> Option<&(Token, Range<usize>)> {
        self.tokens.get(self.next)
    }

    /// Takes the next token where it is one of these symbols.
    fn symbol(&mut self, wanted: &[char]) -> Option<(char, Range<usize>)> {
        match self.peek() {
            Some((Token::Symbol(symbol), range)) if wanted.contains(symbol) => {
                let found = (*symbol, range.clone());
                self.next += 1;
                Some(found)
            }
            _ => None,
        }
    }

    fn expect(&mut self, symbol: char) -> Result<Range<usize>, ExpressionError> {
        if let Some((_, range)) = self.symbol(&[symbol]) {
            return Ok(range);
        }
        Err(match self.peek() {
            Some((token, range)) => syntax(range.clone(), format!("expected `{symbol}`, found {}", token.describe())),
            None => syntax(self.end..self.end, format!("expected `{symbol}`, found the end")),
        })
    }

    fn sum(&mut self, depth: usize) -> Result<Part, ExpressionError> {
        let (mut total, mut range) = self.product(depth)?;
        while let Some((operator, _)) = self.symbol(&['+', '-']) {
            let (value, value_range) = self.product(depth)?;
            let value = value.times(if operator == '-' { -1.0 } else { 1.0 });
            total = match (total, value) {
                (Value::Number(a), Value::Number(b)) => Value::Number(a + b),
                (Value::Columns(mut a), Value::Columns(b)) => {
                    a.extend(b);
                    Value::Columns(a)
                }
                (Value::Number(_), Value::Columns(_)) => return Err(offset(range)),
                (Value::Columns(_), Value::Number(_)) => return Err(offset(value_range)),
            };
            range.end = value_range.end;
        }
        Ok((total, range))
    }

    fn product(&mut self, depth: usize) -> Result<Part, ExpressionError> {
        let (mut total, mut range) = self.signed(depth)?;
        while let Some((operator, _)) = self.symbol(&['*', '/']) {
            let (value, value_range) = self.signed(depth)?;
            let whole = range.start..value_range.end;
            total = match (operator, total, value) {
                ('*', left, Value::Number(factor)) => left.times(factor),
                ('*', Value::Number(factor), right) => right.times(factor),
                ('*', ..) => {
                    return Err(not_linear(
                        whole,
                        "a product of two columns",
                        "a contrast is a weighted sum of columns; a glob such as `face_*` stands in backticks",
                    ));
                }
                (_, _, Value::Number(0.0)) => {
                    return Err(not_linear(
                        value_range,
                        "a division by zero",
                        "a contrast is a weighted sum of columns",
                    ));
                }
                (_, left, Value::Number(divisor)) => left.times(1.0 / divisor),
                _ => {
                    return Err(not_linear(
                        value_range,
                        "a division by a column",
                        "a contrast is a weighted sum of columns",
                    ));
                }
            };
            range = whole;
        }
        Ok((total, range))
    }

    fn signed(&mut self, depth: usize) -> Result<Part, ExpressionError> {
        let mut sign = 1.0;
        let mut start = None;
        while let Some((symbol, range)) = self.symbol(&['-', '+']) {
            start.get_or_insert(range.start);
            if symbol == '-' {
                sign = -sign;
            }
        }
        let (value, range) = self.atom(depth)?;
        Ok((value.times(sign), start.unwrap_or(range.start)..range.end))
    }

    fn atom(&mut self, depth: usize) -> Result<Part, ExpressionError> {
        let Some((token, range)) = self.peek().cloned() else {
            let mut error = syntax(self.end..self.end, "expected a column or a number, found the end");
            error.hint = self.bare_glob(self.next);
            return Err(error);
        };
        if depth > DEEPEST {
            return Err(syntax(range, "parentheses nested too deeply"));
        }
        self.next += 1;
        match token {
            Token::Number(number) => Ok((Value::Number(number), range)),
            Token::Name(name) if name == "mean" && self.symbol(&['(']).is_some() => self.mean(depth, range.start),
            Token::Name(text) => Ok(column(text, false, range)),
            Token::Quoted(text) if text.is_empty() => Err(syntax(range, "an empty name")),
            Token::Quoted(text) => Ok(column(text, true, range)),
            Token::Symbol('(') => {
                let (value, _) = self.sum(depth + 1)?;
                let close = self.expect(')')?;
                Ok((value, range.start..close.end))
            }
            Token::Symbol(_) => {
                let mut error = syntax(range, format!("expected a column or a number, found {}", token.describe()));
                error.hint = self.bare_glob(self.next - 1);
                Err(error)
            }
        }
    }

    /// What to do where the tokens around one that no expression has there are a glob without backticks.
    fn bare_glob(&self, at: usize) -> Option<Cow<'static, str>> {
        let star = Token::Symbol('*');
        let token = |index: usize| self.tokens.get(index);
        let glob =
            match (at.checked_sub(2).and_then(token), at.checked_sub(1).and_then(token), token(at), token(at + 1)) {
                (Some((Token::Name(name), before)), Some((symbol, after)), ..)
                    if *symbol == star && before.end == after.start =>
                {
                    format!("{name}*")
                }
                (_, _, Some((symbol, before)), Some((Token::Name(name), after)))
                    if *symbol == star && before.end == after.start =>
                {
                    format!("*{name}")
                }
                _ => return None,
            };
        Some(format!("globs stand in backticks: `{glob}`").into())
    }

    fn mean(&mut self, depth: usize, start: usize) -> Result<Part, ExpressionError> {
        let mut sums = Vec::new();
        loop {
            let (value, range) = self.sum(depth + 1)?;
            sums.push(terms_of(value, range)?);
            if self.symbol(&[',']).is_none() {
                break;
            }
        }
        let close = self.expect(')')?;
        let range = start..close.end;
        Ok((Value::Columns(vec![Term { weight: 1.0, source: Source::Mean(sums), range: range.clone() }]), range))
    }
}

/// The terms of a value that must not be a bare number.
fn terms_of(value: Value, range: Range<usize>) -> Result<Vec<Term>, ExpressionError> {
    match value {
        Value::Number(_) => Err(not_linear(range, "a number without a column", "name a column of the design")),
        Value::Columns(terms) => match terms.iter().find(|term| !term.weight.is_finite()) {
            Some(term) => Err(not_linear(term.range.clone(), "an infinite weight", "weights are finite numbers")),
            None => Ok(terms),
        },
    }
}

fn column(text: String, quoted: bool, range: Range<usize>) -> Part {
    let source = Source::Column { text, quoted };
    (Value::Columns(vec![Term { weight: 1.0, source, range: range.clone() }]), range)
}

fn offset(range: Range<usize>) -> ExpressionError {
    not_linear(range, "a constant added to columns", "a contrast is a weighted sum of columns, without a constant")
}
