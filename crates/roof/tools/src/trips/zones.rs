//! Where trips begin and end: the taxi zones of New York, by how often they are served.

/// Zones of a borough, the busiest first, and trips out of 100,000 that begin and end there.
struct Borough {
    begin: u32,
    end: u32,
    /// How evenly its zones are served: 0 for one that has nearly all.
    spread: f64,
    zones: &'static [u16],
}

const MANHATTAN: Borough = Borough {
    begin: 90_632,
    end: 89_000,
    spread: 14.0,
    zones: &[
        237, 236, 161, 162, 186, 230, 170, 48, 234, 142, 79, 163, 239, 164, 107, 68, 141, 100, 249,
        263, 229, 238, 90, 231, 140, 113, 43, 246, 148, 114, 233, 137, 262, 143, 144, 158, 13, 151,
        50, 87, 211, 75, 125, 261, 166, 74, 88, 41, 24, 224, 45, 209, 4, 42, 232, 116, 244, 152,
        12, 127, 128, 243, 120, 194, 202, 153, 105,
    ],
};

const BOROUGHS: [Borough; 8] = [
    MANHATTAN,
    // Queens: its two airports, and then the rest.
    Borough {
        begin: 5_318,
        end: 3_900,
        spread: 20.0,
        zones: &[LA_GUARDIA, JFK],
    },
    Borough {
        begin: 1_064,
        end: 1_100,
        spread: 4.0,
        zones: &[7, 226, 146, 145, 193, 179, 223, 129, 82, 260],
    },
    Borough {
        begin: 1_221,
        end: 4_100,
        spread: 3.0,
        zones: &[
            65, 33, 181, 25, 255, 97, 256, 40, 61, 112, 17, 80, 49, 189, 66,
        ],
    },
    Borough {
        begin: 122,
        end: 700,
        spread: 6.0,
        zones: &[168, 69, 247, 159, 119, 167, 47, 136, 235, 18],
    },
    Borough {
        begin: 1_627,
        end: 900,
        spread: 0.1,
        zones: &[264, 265],
    },
    Borough {
        begin: 13,
        end: 240,
        spread: 0.0,
        zones: &[NEWARK],
    },
    Borough {
        begin: 3,
        end: 60,
        spread: 5.0,
        zones: &[206, 221, 23, 118],
    },
];

/// John F. Kennedy airport.
pub const JFK: u16 = 132;
/// LaGuardia airport.
pub const LA_GUARDIA: u16 = 138;
/// Newark airport.
pub const NEWARK: u16 = 1;

/// A zone where a trip begins; both chances lie within 0 and 1.
pub fn begin(borough: f64, zone: f64) -> u16 {
    choose(borough, zone, |borough| borough.begin)
}

/// A zone where a trip ends.
pub fn end(borough: f64, zone: f64) -> u16 {
    choose(borough, zone, |borough| borough.end)
}

fn choose(borough: f64, zone: f64, weight: impl Fn(&Borough) -> u32) -> u16 {
    let total: u32 = BOROUGHS.iter().map(&weight).sum();
    let mut rest = borough * f64::from(total);
    for borough in &BOROUGHS {
        rest -= f64::from(weight(borough));
        if rest < 0.0 {
            return borough.zone(zone);
        }
    }
    MANHATTAN.zone(zone)
}

impl Borough {
    /// The zone of rank r is served in proportion to 1 / (r + spread): more at the front, less behind.
    fn zone(&self, chance: f64) -> u16 {
        let (first, last) = (
            self.spread + 0.5,
            self.spread + 0.5 + self.zones.len() as f64,
        );
        let place = first * (last / first).powf(chance) - first;
        self.zones[(place as usize).min(self.zones.len() - 1)]
    }
}
