//! What is written, and every error.

fn expand(item: &str) -> String {
    let tokens = super::expand(item.parse().unwrap());
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

#[test]
fn every_attribute() {
    insta::assert_snapshot!(expand(
        r#"#[derive(MassParameters)]
        #[parameters(validate = Self::check, crate = db)]
        pub(crate) struct Options {
            /// Where the files are.
            ///
            /// Not shown.
            pub folder: String,
            #[parameter(default = 1_000)]
            limit: u32,
            #[serde(default)]
            #[parameter(masked)]
            token: std::option::Option<String>,
            #[parameter(default = "slow \"and\" sure", choices = ["fast", "slow \"and\" sure"])]
            r#mode: Mode,
            #[parameter(default = -0.5)]
            share: f64,
            #[parameter(default = true)]
            dry: bool,
            map: std::collections::HashMap<String, Vec<u8>>,
        }"#
    ));
}

#[test]
fn nothing_to_say() {
    insta::assert_snapshot!(expand("struct Empty;"));
}

#[test]
fn mistakes_come_together() {
    insta::assert_snapshot!(expand(
        "struct Wrong {
            #[parameter(defualt = 1)]
            a: u8,
            #[parameter(default = 1u8)]
            b: u8,
            #[parameter(choices = [])]
            c: String,
        }"
    ));
    insta::assert_snapshot!(expand("enum Wrong {}"));
    insta::assert_snapshot!(expand("struct Wrong(u8);"));
    insta::assert_snapshot!(expand("struct Wrong<T> { a: T }"));
}
