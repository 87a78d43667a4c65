//! Values of secret variables: sealed for their row, opened for runs alone.

use super::Vault;
use super::seal::Place;
use crate::model::IntegrationId;
use crate::model::credential::{Opener, Secret};

impl Vault {
    /// Seals the value of a variable.
    ///
    /// # Errors
    /// The system gives no random bits.
    pub fn seal_value(
        &self,
        integration: IntegrationId,
        variable: &str,
        secret: &Secret,
    ) -> Result<Vec<u8>, String> {
        self.seal(place(&row(integration, variable)), secret.reveal().as_bytes())
    }
}

impl Opener for Vault {
    fn open(&self, integration: IntegrationId, variable: &str, cipher: &[u8]) -> Result<Secret, String> {
        let plain = self.unseal(place(&row(integration, variable)), cipher)?;
        let text = std::str::from_utf8(&plain).map_err(|_| "it is no text".to_owned())?;
        Ok(Secret::new(text.to_owned()))
    }
}

fn place(row: &[u8]) -> Place<'_> {
    Place { table: "value", row, column: "cipher" }
}

/// What tells the row: the integration's number and the variable's name.
fn row(integration: IntegrationId, variable: &str) -> Vec<u8> {
    [&integration.0.to_be_bytes()[..], variable.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::tests::of;
    use super::*;

    #[test]
    fn a_value_opens_for_its_own_variable_alone() {
        let vault = of(1);
        let sealed = vault.seal_value(IntegrationId(3), "token", &Secret::new("s3cret".to_owned())).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"s3cret"));
        assert_eq!(vault.open(IntegrationId(3), "token", &sealed).unwrap().reveal(), "s3cret");
        for (integration, variable) in [(4, "token"), (3, "tokens")] {
            assert!(vault.open(IntegrationId(integration), variable, &sealed).is_err());
        }
        assert!(of(2).open(IntegrationId(3), "token", &sealed).unwrap_err().contains("sealed under the key"));
    }
}
