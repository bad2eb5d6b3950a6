//! Ids of access keys. AWS's name the account that they belong to: the 16 digits of base 32 behind the first four letters
//! are 80 bits, and all of the first half but its first bit is the account's number. (Source: what others found out of
//! their own keys, and GetAccessKeyInfo, which asks nobody, shows it to be so.)

use headwater_env::Env;
use headwater_types::Account;

const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Digits behind the four letters of a key's kind.
const LEN: u32 = 16;
const BITS_A_DIGIT: u32 = 5;
/// Bits behind the account's number.
const BEHIND: u32 = 39;
/// The first bit, which is not the account's.
const FIRST: u128 = 1 << (LEN * BITS_A_DIGIT - 1);

/// The id of a new key that expires.
pub(crate) fn temporary(env: &Env, account: &Account) -> String {
    let number: u128 = account.0.parse().unwrap_or_default();
    let random = u128::from(env.random.next_u64()) & ((1 << BEHIND) - 1);
    let bits = FIRST | number << BEHIND | random;
    let digit = |place: u32| {
        let digit = bits >> (place * BITS_A_DIGIT) & 31;
        char::from(DIGITS[digit as usize])
    };
    "ASIA".chars().chain((0..LEN).rev().map(digit)).collect()
}

/// The account of the key with this id; none where it is not one of AWS's form.
pub fn account_of(access_key_id: &str) -> Option<Account> {
    let (_, digits) = access_key_id.split_at_checked(4)?;
    if digits.len() != LEN as usize {
        return None;
    }
    let mut bits = 0u128;
    for byte in digits.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        bits = bits << BITS_A_DIGIT | digit as u128;
    }
    Some(Account(format!("{:012}", (bits & !FIRST) >> BEHIND)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_account() {
        for number in ["000000000000", "111111111111", "999999999999"] {
            let account = Account(number.to_owned());
            let id = temporary(&Env::real(), &account);
            assert!(id.starts_with("ASIA") && id.len() == 20, "{id}");
            assert_eq!(account_of(&id), Some(account));
        }
        // A key that was published, with its account: https://medium.com/@TalBeerySec, "A short note on AWS KEY ID".
        let known = account_of("ASIAQNZGKIQY56JQ7WML");
        assert_eq!(known, Some(Account("029608264753".to_owned())));
        for other in [
            "",
            "any",
            "AKIA",
            "AKIAäääääääääää",
            "AKIA0000000000000000",
            "AKIAIOSFODNN7EXAMPLES",
        ] {
            assert_eq!(account_of(other), None, "{other}");
        }
    }
}
