//! The doc comment of an item, which becomes its description.

use proc_macro2::TokenTree;

use crate::literal;

/// Lines of `#[doc = ".."]`.
#[derive(Default)]
pub(crate) struct Docs {
    lines: Vec<String>,
}

impl Docs {
    /// The value of one attribute: a line of `///`, or all of `/** */`.
    pub(crate) fn push(&mut self, value: &TokenTree) {
        let Some(text) = literal::string(value) else {
            return;
        };
        let block = text.contains('\n');
        // `split`, not `lines`: an empty line ends the paragraph.
        for line in text.split('\n') {
            let line = line.trim();
            let stripped = line
                .strip_prefix('*')
                .filter(|rest| block && !rest.starts_with('*'));
            self.lines.push(stripped.unwrap_or(line).trim().to_owned());
        }
    }

    /// What rustdoc takes as the summary, in one line.
    pub(crate) fn first_paragraph(&self) -> String {
        let lines = self.lines.iter().map(String::as_str);
        let paragraph: Vec<_> = lines
            .skip_while(|line| line.is_empty())
            .take_while(|line| !line.is_empty())
            .collect();
        paragraph.join(" ")
    }
}
