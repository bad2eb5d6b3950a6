//! The time as answers' `Date` has it.

use headwater_env::Clock;
use http::HeaderValue;

/// The second of the last answer, and how it is written.
pub(crate) struct Date {
    second: i64,
    text: HeaderValue,
}

impl Default for Date {
    fn default() -> Self {
        Self {
            second: i64::MIN,
            text: HeaderValue::from_static(""),
        }
    }
}

impl Date {
    /// The time that it is.
    pub(crate) fn now(&mut self, clock: &dyn Clock) -> &HeaderValue {
        let second = clock.now().0.div_euclid(1000) as i64;
        if self.second != second {
            let time = jiff::Timestamp::from_second(second).unwrap_or_default();
            let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            self.second = second;
            self.text = HeaderValue::try_from(text).expect("a date is plain text");
        }
        &self.text
    }
}
