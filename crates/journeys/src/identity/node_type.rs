//! The types of identifiers, in the order of their strength.

/// Type of an identifier. The order is the priority by which a component's canonical node is
/// chosen: an earlier type says more about who a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NodeType {
    /// User id that the site or app knows after log-in.
    User,
    /// Contact in a CRM.
    Contact,
    /// Lead in a CRM.
    Lead,
    /// Customer of a shop or payment system.
    Buyer,
    /// E-mail address (its hash).
    Email,
    /// Telephone number (its hash).
    Phone,
    /// Order or transaction.
    Order,
    /// Device or browser, as the tracker calls it (client id, anonymous id).
    Device,
    /// Cookie of somebody else (ad click, chat, e-mail tool).
    Cookie,
}

impl NodeType {
    /// All types, strongest first.
    pub const ALL: [Self; 9] = [
        Self::User,
        Self::Contact,
        Self::Lead,
        Self::Buyer,
        Self::Email,
        Self::Phone,
        Self::Order,
        Self::Device,
        Self::Cookie,
    ];

    /// Its name in tables: `user`, `contact`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::Buyer => "buyer",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Order => "order",
            Self::Device => "device",
            Self::Cookie => "cookie",
        }
    }

    /// The type of that name; None for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|node_type| node_type.as_str() == name)
    }

    /// It names a person or an address (user, contact, lead, buyer, e-mail). The others can be
    /// shared by several people, so the degree guard watches them.
    pub fn is_person(self) -> bool {
        matches!(
            self,
            Self::User | Self::Contact | Self::Lead | Self::Buyer | Self::Email
        )
    }

    /// Several of these on one shared identifier mean several people.
    pub(crate) fn counts_as_person(self) -> bool {
        matches!(self, Self::User | Self::Contact | Self::Buyer)
    }
}
