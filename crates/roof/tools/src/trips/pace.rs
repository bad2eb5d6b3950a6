//! When trips end: a year of hours with the pace of a city, and moments within them in ascending order.

/// Trips in each hour of a working day, out of 1,000.
const WEEKDAY: [u32; 24] = [
    24, 13, 8, 6, 6, 11, 26, 43, 53, 49, 48, 49, 50, 50, 56, 54, 49, 57, 66, 64, 58, 60, 55, 44,
];

/// Trips in each hour of a day of the weekend, out of 1,000.
const WEEKEND: [u32; 24] = [
    54, 46, 34, 25, 18, 8, 11, 17, 25, 37, 45, 52, 57, 56, 54, 55, 54, 56, 60, 56, 48, 46, 46, 42,
];

/// Trips on each day of the week, Monday first, relative to each other.
const DAYS: [u64; 7] = [162, 169, 178, 183, 184, 174, 152];

/// 2018-01-01T00:00:00Z, a Monday, in seconds since the epoch.
const YEAR: i64 = 1_514_764_800;

const HOURS: u64 = 365 * 24;

/// Whether a moment, in seconds since the epoch, is on a weekend.
pub fn weekend(time: i64) -> bool {
    day(time) >= 5
}

/// The hour of the day of a moment.
pub fn hour(time: i64) -> usize {
    (time.rem_euclid(86_400) / 3600) as usize
}

fn day(time: i64) -> usize {
    ((time - YEAR).div_euclid(86_400)).rem_euclid(7) as usize
}

fn weight(hour_of_year: u64) -> u64 {
    let (day, hour) = (
        (hour_of_year / 24 % 7) as usize,
        (hour_of_year % 24) as usize,
    );
    DAYS[day]
        * u64::from(if day < 5 {
            WEEKDAY[hour]
        } else {
            WEEKEND[hour]
        })
}

/// The moments at which `count` trips of the year end, in order.
pub struct Moments {
    count: u64,
    total: u64,
    /// Weights of the hours so far, the present one included.
    passed: u64,
    hour: u64,
    /// Moments given out, all in all.
    given: u64,
    /// The last moment within the hour, in parts of it.
    at: f64,
}

impl Moments {
    pub fn new(count: u64) -> Self {
        let total = (0..HOURS).map(weight).sum();
        Self {
            count,
            total,
            passed: weight(0),
            hour: 0,
            given: 0,
            at: 0.0,
        }
    }

    /// The next moment, in seconds since the epoch; `chance` lies within 0 and 1.
    pub fn next(&mut self, chance: f64) -> Option<i64> {
        if self.given == self.count {
            return None;
        }
        while self.given >= self.due() {
            self.hour += 1;
            self.passed += weight(self.hour);
            self.at = 0.0;
        }
        // The least of n moments that are spread evenly over what is left of the hour.
        let left = self.due() - self.given;
        self.at += (1.0 - self.at) * (1.0 - chance.powf(1.0 / left as f64));
        self.given += 1;
        Some(YEAR + self.hour as i64 * 3600 + (self.at * 3599.0) as i64)
    }

    /// Trips up to the present hour's end.
    fn due(&self) -> u64 {
        (u128::from(self.count) * u128::from(self.passed) / u128::from(self.total)) as u64
    }
}
