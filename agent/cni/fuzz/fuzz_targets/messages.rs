//! Requests and replies: the first byte chooses which. What is understood is written and read again as the same.

#![no_main]

use berth_cni::protocol::{ADD, AddReply, CHECK, DEL, GC, Problem, Request, STATUS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let path = match choice {
        b'a' => ADD,
        b'd' => DEL,
        b'c' => CHECK,
        b'g' => GC,
        b's' => STATUS,
        b'p' => {
            let _ = serde_json::from_slice::<Problem>(body);
            return;
        }
        _ => {
            let _ = AddReply::decode(body);
            return;
        }
    };
    if let Ok(request) = Request::decode(path, body) {
        let written = request.encode().expect("it was read");
        assert_eq!(Request::decode(path, &written).ok(), Some(request));
    }
});
