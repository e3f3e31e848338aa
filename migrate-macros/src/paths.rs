//! The one file that knows the name of the runtime crate.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::OnceLock,
};

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::constant::parsed;

/// Where generated code finds the runtime's private names.
#[derive(Default)]
pub(crate) enum Runtime {
    /// `::migrate_diesel`
    #[default]
    Default,
    /// `crate = path`, for a dependency under another name.
    Renamed(TokenStream),
}

impl Runtime {
    /// The module of names for generated code.
    pub(crate) fn private(&self) -> TokenStream {
        self.private_at(Span::call_site())
    }

    /// The same at `span`, so that this is the place of what is called by it.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        match self {
            Self::Default => quote_spanned!(span=> ::migrate_diesel::__private),
            Self::Renamed(path) => {
                let path = path.clone().into_iter().map(|mut token| {
                    token.set_span(token.span().located_at(span));
                    token
                });
                quote_spanned!(span=> #(#path)*::__private)
            }
        }
    }
}

/// A slice of the runtime, which is gathered by the linker.
pub(crate) struct Slice {
    name: &'static str,
    attributes: OnceLock<String>,
}

pub(crate) static MIGRATIONS: Slice = Slice::new("MIGRATIONS");
pub(crate) static VIEWS: Slice = Slice::new("VIEWS");
pub(crate) static DIRECTORIES: Slice = Slice::new("DIRECTORIES");

impl Slice {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: OnceLock::new(),
        }
    }

    /// The attributes that put a static into linkme's section of this slice, as linkme 0.3.37 writes
    /// them. `tests/` proves that its elements and ours make one slice.
    ///
    /// Not linkme's own attribute: that is a second procedural macro per migration, and then a
    /// `macro_rules!` call, a closure and a function to check the type; a third of what a migration
    /// costs to compile. Not a `#[cfg]` here either: a procedural macro sees the host, not the target.
    pub(crate) fn attributes(&'static self) -> TokenStream {
        parsed(self.attributes.get_or_init(|| self.text()))
    }

    /// The usual case first, and the others in one: those are not even parsed then.
    fn text(&self) -> String {
        let name = self.name;
        let apple = self.apple_section();
        format!(
            r#"
            #[used]
            #[cfg_attr(
                not(any(target_vendor = "apple", windows, target_os = "uefi", target_os = "illumos")),
                unsafe(link_section = "linkme_{name}")
            )]
            #[cfg_attr(
                any(target_vendor = "apple", windows, target_os = "uefi", target_os = "illumos"),
                cfg_attr(
                    target_vendor = "apple",
                    unsafe(link_section = "__DATA,__linkme{apple},regular,no_dead_strip")
                ),
                cfg_attr(
                    any(windows, target_os = "uefi"),
                    unsafe(link_section = ".linkme_{name}$b")
                ),
                cfg_attr(
                    target_os = "illumos",
                    unsafe(link_section = "set_linkme_{name}")
                )
            )]
            "#
        )
    }

    /// What linkme 0.3.37 makes of the name where a section's name can have 16 bytes: eight digits of
    /// the standard library's hash. Computed, as linkme does, because a later one may hash otherwise.
    fn apple_section(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.name.hash(&mut hasher);
        let mut rest = hasher.finish();
        let mut name = String::with_capacity(8);
        for _ in 0..8 {
            let digit = (rest % 62) as u8;
            rest /= 62;
            name.push(char::from(match digit {
                0..=25 => b'a' + digit,
                26..=51 => b'A' + digit - 26,
                _ => b'0' + digit - 52,
            }));
        }
        name
    }
}
