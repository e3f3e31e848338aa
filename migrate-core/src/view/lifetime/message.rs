//! A text that const code puts together: `format!` is not for it.

use crate::{
    descriptor::{Descriptor, Location},
    id::MigrationId,
    view::ViewDescriptor,
};

/// More than the longest message with paths of a reasonable length. What does not fit is left out.
const BYTES: usize = 2048;

/// A message in the making.
pub(super) struct Message {
    bytes: [u8; BYTES],
    length: usize,
}

impl Message {
    pub(super) const fn new(text: &str) -> Self {
        Self {
            bytes: [0; BYTES],
            length: 0,
        }
        .text(text)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "const code cannot use `get`; bounded by the loop and the condition"
    )]
    pub(super) const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        // All or nothing, so that it stays UTF-8.
        if self.length + text.len() <= BYTES {
            let mut at = 0;
            while at < text.len() {
                self.bytes[self.length + at] = text[at];
                at += 1;
            }
            self.length += text.len();
        }
        self
    }

    /// `` `app:create_users` (src/migrations.rs:5) ``
    pub(super) const fn migration(self, migration: &Descriptor) -> Self {
        self.id(migration.id).place(migration.location)
    }

    /// `` `app:ActiveUsers` (src/views.rs:5) ``
    pub(super) const fn view(self, view: &ViewDescriptor) -> Self {
        self.id(view.id).place(view.location)
    }

    /// `` `app:ActiveUsers` ``
    pub(super) const fn id(self, id: MigrationId) -> Self {
        self.text("`")
            .text(id.package())
            .text(":")
            .text(id.name())
            .text("`")
    }

    const fn place(self, Location { file, line, .. }: Location) -> Self {
        self.text(" (").text(file).text(":").number(line).text(")")
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "const code cannot use `get`; a u32 has ten digits at most"
    )]
    const fn number(self, mut number: u32) -> Self {
        let mut digits = [0_u8; 10];
        let mut at = digits.len();
        loop {
            at -= 1;
            // Below ten.
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        match std::str::from_utf8(digits.split_at(at).1) {
            Ok(text) => self.text(text),
            Err(_) => self,
        }
    }

    pub(super) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}
