//! One thing that a server must do.

use anyhow::Result;
use futures::future::BoxFuture;

use crate::scratch::Scratch;

/// One thing that a server must do, as a test of its own.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// `SUBJECT::CASE`.
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    pub(crate) run: for<'a> fn(&'a Scratch<'a>) -> BoxFuture<'a, Result<()>>,
}

/// What a case needs of its server beside the API.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// That the server can be made to forget its history; no other case runs meanwhile.
    Compaction,
}

/// The list `CASES` of a module: its functions, each as a test.
macro_rules! cases {
    ($subject:literal: $($function:ident),+ $(,)?) => {
        $crate::case::cases!($subject, Nothing: $($function),+);
    };
    ($subject:literal, $needs:ident: $($function:ident),+ $(,)?) => {
        pub(super) const CASES: &[$crate::case::Case] = &[$($crate::case::Case {
            name: concat!($subject, "::", stringify!($function)),
            needs: $crate::case::Needs::$needs,
            run: |scratch| Box::pin($function(scratch)),
        }),+];
    };
}
pub(crate) use cases;
