//! Taxi trips that never were: the columns, the pace and the proportions of New York's yellow taxis in 2018.
//!
//! The same seed makes the same trips; they come one after the other, in the order of their ends, and any
//! number of them takes no more memory than one. Weights and rates follow the published trip records of that
//! year.

mod args;
mod pace;
mod zones;

pub use args::{TripsArgs, TripsError, Written, run};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    replay::iso,
    trips::{
        pace::Moments,
        zones::{JFK, LA_GUARDIA, NEWARK},
    },
};

/// One trip. Amounts are in cents, the distance in hundredths of a mile, times in seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the published columns")]
pub struct Trip {
    pub trip_id: u64,
    pub vendor_id: u8,
    pub pickup_datetime: i64,
    pub dropoff_datetime: i64,
    pub passenger_count: u8,
    pub trip_distance: i64,
    pub rate_code_id: u8,
    pub store_and_fwd_flag: char,
    pub pickup_location_id: u16,
    pub dropoff_location_id: u16,
    pub payment_type: u8,
    pub fare_amount: i64,
    pub extra: i64,
    pub mta_tax: i64,
    pub tip_amount: i64,
    pub tolls_amount: i64,
    pub improvement_surcharge: i64,
}

impl Trip {
    /// The whole price that was paid, in cents.
    pub fn total_amount(&self) -> i64 {
        self.fare_amount
            + self.extra
            + self.mta_tax
            + self.tip_amount
            + self.tolls_amount
            + self.improvement_surcharge
    }

    /// The trip as an event: a minified JSON object and a line feed.
    pub fn to_json(&self) -> String {
        let (pickup, dropoff) = (
            iso(self.pickup_datetime * 1000),
            iso(self.dropoff_datetime * 1000),
        );
        let start = format!(
            r#"{{"vendor_id":{},"pickup_datetime":"{pickup}","dropoff_datetime":"{dropoff}","passenger_count":{},"#,
            self.vendor_id, self.passenger_count,
        );
        let way = format!(
            r#""trip_distance":{},"rate_code_id":{},"store_and_fwd_flag":"{}","pickup_location_id":{},"dropoff_location_id":{},"#,
            decimal(self.trip_distance),
            self.rate_code_id,
            self.store_and_fwd_flag,
            self.pickup_location_id,
            self.dropoff_location_id,
        );
        let price = format!(
            r#""payment_type":{},"fare_amount":{},"extra":{},"mta_tax":{},"tip_amount":{},"tolls_amount":{},"#,
            self.payment_type,
            decimal(self.fare_amount),
            decimal(self.extra),
            decimal(self.mta_tax),
            decimal(self.tip_amount),
            decimal(self.tolls_amount),
        );
        let end = format!(
            r#""improvement_surcharge":{},"total_amount":{},"trip_id":{},"type":"trip"}}"#,
            decimal(self.improvement_surcharge),
            decimal(self.total_amount()),
            self.trip_id,
        );
        format!("{start}{way}{price}{end}\n")
    }
}

/// Hundredths as a decimal number with at least one place: 4.0, 0.42.
fn decimal(hundredths: i64) -> String {
    let (whole, part) = (hundredths / 100, hundredths % 100);
    if part % 10 == 0 {
        format!("{whole}.{}", part / 10)
    } else {
        format!("{whole}.{part:02}")
    }
}

/// Trips in the order of their ends.
pub struct Trips {
    chance: StdRng,
    moments: Moments,
    next_id: u64,
}

impl Trips {
    /// `count` trips over the year 2018, always the same for one seed.
    pub fn new(seed: u64, count: u64) -> Self {
        Self {
            chance: StdRng::seed_from_u64(seed),
            moments: Moments::new(count),
            next_id: 0,
        }
    }

    /// Within 0 and 1, neither included.
    fn unit(&mut self) -> f64 {
        ((self.chance.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number of the standard normal distribution.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// The first choice whose weight the chance falls into.
    fn pick<T: Copy>(&mut self, choices: &[(T, f64)]) -> T {
        let mut rest = self.unit() * choices.iter().map(|(_, weight)| weight).sum::<f64>();
        for (choice, weight) in choices {
            rest -= weight;
            if rest < 0.0 {
                return *choice;
            }
        }
        choices[0].0
    }

    /// Miles between two zones: far to the airports, within the city as it comes.
    fn distance(&mut self, from: u16, to: u16) -> f64 {
        let around =
            |middle: f64, spread: f64, normal: f64| (middle + spread * normal).max(middle / 3.0);
        let normal = self.normal();
        match (from, to) {
            (a, b) if a == b => (0.6f64.ln() + 0.5 * normal).exp(),
            (JFK, _) | (_, JFK) => around(17.5, 2.0, normal),
            (NEWARK, _) | (_, NEWARK) => around(17.0, 2.5, normal),
            (LA_GUARDIA, _) | (_, LA_GUARDIA) => around(9.5, 1.8, normal),
            _ => (0.45 + 0.75 * normal).exp().clamp(0.1, 40.0),
        }
    }

    /// Seconds for a distance in miles: the longer the way and the later the hour, the faster.
    fn duration(&mut self, miles: f64, end: i64) -> i64 {
        let free = if (1..6).contains(&pace::hour(end)) {
            1.4
        } else {
            0.97
        };
        let speed = (7.9 + 1.25 * miles).min(24.0) * free * (0.28 * self.normal()).exp();
        ((miles / speed * 3600.0) as i64).clamp(60, 3 * 3600)
    }

    /// The tip in cents: from those who pay by card, mostly a fifth and more.
    fn tip(&mut self, payment_type: u8, before: i64) -> i64 {
        if payment_type != 1 || self.happens(0.04) {
            return 0;
        }
        let share = self.pick(&[
            (0.10, 6.0),
            (0.15, 10.0),
            (0.20, 48.0),
            (0.25, 20.0),
            (0.30, 10.0),
        ]);
        let exact = before as f64 * (share + 0.02 * self.normal()).max(0.01);
        // Some give whole dollars.
        if self.happens(0.3) {
            (exact / 100.0).ceil() as i64 * 100
        } else {
            exact as i64
        }
    }

    fn tolls(&mut self, from: u16, to: u16) -> i64 {
        let probability = match (from, to) {
            (JFK, _) | (_, JFK) => 0.7,
            (LA_GUARDIA, _) | (_, LA_GUARDIA) => 0.45,
            (NEWARK, _) | (_, NEWARK) => 0.9,
            _ => 0.008,
        };
        match self.happens(probability) {
            true if to == NEWARK => 1250,
            true => 576,
            false => 0,
        }
    }
}

/// Rate code and fare in cents: flat to and from Kennedy airport, else by the meter, in steps of 50 cents.
fn fare(from: u16, to: u16, miles: f64, seconds: i64) -> (u8, i64) {
    let metered = 250.0 + 200.0 * miles + 30.0 * seconds as f64 / 60.0;
    let metered = (metered / 50.0).round() as i64 * 50;
    match (from, to) {
        (JFK, JFK) => (1, metered),
        (JFK, _) | (_, JFK) => (2, 5200),
        (_, NEWARK) => (3, metered + 1750),
        _ => (1, metered),
    }
}

/// The surcharge of the hour, in cents.
fn extra(pickup: i64, rate_code: u8) -> i64 {
    match pace::hour(pickup) {
        _ if rate_code == 3 => 0,
        16..20 if !pace::weekend(pickup) => {
            if rate_code == 2 {
                450
            } else {
                100
            }
        }
        20.. | 0..6 if rate_code == 1 => 50,
        _ => 0,
    }
}

impl Iterator for Trips {
    type Item = Trip;

    fn next(&mut self) -> Option<Trip> {
        let chance = self.unit();
        let end = self.moments.next(chance)?;
        let from = zones::begin(self.unit(), self.unit());
        let to = zones::end(self.unit(), self.unit());
        let miles = self.distance(from, to);
        let seconds = self.duration(miles, end);
        let (rate_code_id, fare_amount) = fare(from, to, miles, seconds);
        let payment_type = self.pick(&[(1, 69.5), (2, 29.8), (3, 0.55), (4, 0.15)]);
        let extra = extra(end - seconds, rate_code_id);
        let tolls_amount = self.tolls(from, to);
        let trip = Trip {
            trip_id: self.next_id,
            vendor_id: self.pick(&[(2, 57.9), (1, 41.6), (4, 0.5)]),
            pickup_datetime: end - seconds,
            dropoff_datetime: end,
            passenger_count: self.pick(&[
                (1, 71.1),
                (2, 14.5),
                (5, 4.4),
                (3, 4.3),
                (6, 2.7),
                (4, 2.0),
                (0, 0.9),
            ]),
            trip_distance: (miles * 100.0).round() as i64,
            rate_code_id,
            store_and_fwd_flag: if self.happens(0.0047) { 'Y' } else { 'N' },
            pickup_location_id: from,
            dropoff_location_id: to,
            payment_type,
            fare_amount,
            extra,
            mta_tax: if rate_code_id == 3 { 0 } else { 50 },
            tip_amount: self.tip(payment_type, fare_amount + extra + tolls_amount),
            tolls_amount,
            improvement_surcharge: 30,
        };
        self.next_id += 1;
        Some(trip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_trips_in_the_order_of_their_ends() {
        let trips: Vec<Trip> = Trips::new(7, 5000).collect();
        assert_eq!(trips.len(), 5000);
        assert!(
            trips
                .iter()
                .eq(Trips::new(7, 5000).collect::<Vec<_>>().iter())
        );
        assert_ne!(
            trips[..10],
            Trips::new(8, 5000).take(10).collect::<Vec<_>>()[..]
        );
        assert!(trips.is_sorted_by_key(|trip| trip.dropoff_datetime));
        assert!(trips.iter().zip(0..).all(|(trip, id)| trip.trip_id == id));
        assert!(
            trips
                .iter()
                .all(|trip| trip.pickup_datetime < trip.dropoff_datetime)
        );
        let year = 1_514_764_800..1_546_300_800;
        assert!(
            year.contains(&trips[0].dropoff_datetime)
                && year.contains(&trips[4999].dropoff_datetime)
        );
    }

    #[test]
    fn any_number_of_trips_can_be_asked_for() {
        for count in [0, 1, 2, 10_000] {
            assert_eq!(Trips::new(1, count).count() as u64, count);
        }
        assert!(Trips::new(1, u64::MAX / 1_000_000).nth(1000).is_some());
    }

    #[test]
    fn the_proportions_are_those_of_the_city() {
        let trips: Vec<Trip> = Trips::new(3, 40_000).collect();
        let share =
            |of: &dyn Fn(&Trip) -> bool| trips.iter().filter(|t| of(t)).count() as f64 / 40_000.0;
        let mean = |of: &dyn Fn(&Trip) -> i64| trips.iter().map(of).sum::<i64>() as f64 / 40_000.0;
        assert!((14.0..22.0).contains(&(mean(&Trip::total_amount) / 100.0)));
        assert!((2.4..3.4).contains(&(mean(&|t| t.trip_distance) / 100.0)));
        assert!((9.0..17.0).contains(&(mean(&|t| t.dropoff_datetime - t.pickup_datetime) / 60.0)));
        let airports = share(&|t| [JFK, LA_GUARDIA].contains(&t.pickup_location_id));
        assert!((0.03..0.08).contains(&airports), "{airports}");
        let (night, evening) = (
            share(&|t| pace::hour(t.dropoff_datetime) == 4),
            share(&|t| pace::hour(t.dropoff_datetime) == 18),
        );
        assert!(evening > 5.0 * night, "{evening} {night}");
    }

    #[test]
    fn an_event_has_the_published_columns_and_adds_up() {
        for trip in Trips::new(5, 300) {
            let text = trip.to_json();
            assert!(text.ends_with("\"type\":\"trip\"}\n"));
            let event: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&text).unwrap();
            assert_eq!(event.len(), 19);
            let amount = |name: &str| (event[name].as_f64().unwrap() * 100.0).round() as i64;
            let parts = [
                "fare_amount",
                "extra",
                "mta_tax",
                "tip_amount",
                "tolls_amount",
                "improvement_surcharge",
            ];
            assert_eq!(
                parts.iter().map(|name| amount(name)).sum::<i64>(),
                amount("total_amount"),
                "{text}"
            );
        }
        assert_eq!(
            (decimal(400), decimal(42), decimal(530), decimal(5)),
            ("4.0".into(), "0.42".into(), "5.3".into(), "0.05".into())
        );
    }
}
