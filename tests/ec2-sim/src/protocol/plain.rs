//! Texts that need no escaping. What a page of interfaces says thousands of times, addresses above all, goes past `fmt`, which would take
//! most of the time.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::id::{
    AddressAssociationId, AllocationId, AttachmentId, GroupId, InstanceId, InterfaceId,
    ReservationId, RouteAssociationId, RouteTableId, SubnetId, VpcId,
};

/// A value whose text needs no escaping.
pub(super) trait Plain {
    /// Adds the text of it.
    fn write(&self, text: &mut String);
}

impl<Value: Plain + ?Sized> Plain for &Value {
    #[inline]
    fn write(&self, text: &mut String) {
        (**self).write(text);
    }
}

impl Plain for str {
    #[inline]
    fn write(&self, text: &mut String) {
        text.push_str(self);
    }
}

impl Plain for bool {
    #[inline]
    fn write(&self, text: &mut String) {
        text.push_str(if *self { "true" } else { "false" });
    }
}

/// Identifiers: the text that they are.
macro_rules! identifiers {
    ($($kind:ty),+) => {$(
        impl Plain for $kind {
            #[inline]
            fn write(&self, text: &mut String) {
                text.push_str(self.as_str());
            }
        }
    )+};
}
identifiers!(
    AddressAssociationId,
    AllocationId,
    AttachmentId,
    GroupId,
    InstanceId,
    InterfaceId,
    ReservationId,
    RouteAssociationId,
    RouteTableId,
    SubnetId,
    VpcId
);

/// What is rare enough for `fmt`.
macro_rules! formatted {
    ($($kind:ty),+) => {$(
        impl Plain for $kind {
            fn write(&self, text: &mut String) {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{self}");
            }
        }
    )+};
}
formatted!(u8, u32, usize, Ipv6Addr, Ipv4Net, Ipv6Net, fmt::Arguments<'_>);

impl Plain for Ipv4Addr {
    #[inline]
    fn write(&self, text: &mut String) {
        Octets::of(*self, b'.').write(text);
    }
}

/// The four numbers of an IPv4 address in decimal, with something between them.
pub(super) struct Octets {
    digits: [u8; 15],
    length: usize,
}

impl Octets {
    /// Those of `address`, with the ASCII character `between`.
    #[inline]
    pub(super) fn of(address: Ipv4Addr, between: u8) -> Self {
        let mut octets = Self { digits: [0; 15], length: 0 };
        for (position, octet) in address.octets().into_iter().enumerate() {
            if position > 0 {
                octets.push(between);
            }
            if octet > 99 {
                octets.push(b'0' + octet / 100);
            }
            if octet > 9 {
                octets.push(b'0' + octet / 10 % 10);
            }
            octets.push(b'0' + octet % 10);
        }
        octets
    }

    #[inline]
    const fn push(&mut self, byte: u8) {
        self.digits[self.length] = byte;
        self.length += 1;
    }
}

impl Plain for Octets {
    #[inline]
    fn write(&self, text: &mut String) {
        text.push_str(str::from_utf8(&self.digits[..self.length]).unwrap_or_default());
    }
}

/// A hardware address: six numbers in hexadecimal, with colons.
pub(super) struct Mac(pub(super) [u8; 6]);

impl Plain for Mac {
    fn write(&self, text: &mut String) {
        let digit = |number: u8| char::from(b"0123456789abcdef"[usize::from(number)]);
        for (position, octet) in self.0.into_iter().enumerate() {
            if position > 0 {
                text.push(':');
            }
            text.push(digit(octet >> 4));
            text.push(digit(octet & 0xf));
        }
    }
}
