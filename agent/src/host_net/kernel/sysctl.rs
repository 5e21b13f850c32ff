//! Settings of devices that only procfs has.

use std::fs;
use std::path::{Path, PathBuf};

use super::KernelError;

/// The folder of the IPv4 settings of devices, of the network namespace of whoever reads it.
#[derive(Debug, Clone)]
pub(super) struct Sysctl(PathBuf);

impl Sysctl {
    /// Those under the folder of all settings.
    pub(super) fn under(proc_sys: &Path) -> Self {
        Self(proc_sys.join("net/ipv4/conf"))
    }

    /// `rp_filter` of a device, or of `all`; none where it cannot be read.
    pub(super) fn reverse_path(&self, device: &str) -> Option<u8> {
        fs::read_to_string(self.path(device)).ok()?.trim().parse().ok()
    }

    /// Sets `rp_filter` of a device.
    ///
    /// # Errors
    /// [`KernelError::Sysctl`], with what a person can do: in many containers procfs is read-only.
    pub(super) fn set_reverse_path(&self, device: &str, value: u8) -> Result<(), KernelError> {
        let path = self.path(device);
        fs::write(&path, value.to_string()).map_err(|error| KernelError::Sysctl {
            path: path.display().to_string(),
            // A dot would end a word there, and devices of VLANs have one.
            key: format!("net.ipv4.conf.{}.rp_filter", device.replace('.', "/")),
            value,
            error,
        })
    }

    fn path(&self, device: &str) -> PathBuf {
        self.0.join(device).join("rp_filter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_writes_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("net/ipv4/conf");
        let sysctl = Sysctl::under(folder.path());
        assert_eq!(sysctl.reverse_path("eth1"), None);
        let problem = sysctl.set_reverse_path("eth1.5", 2).unwrap_err().to_string();
        assert!(problem.contains("run `sysctl -w net.ipv4.conf.eth1/5.rp_filter=2`"), "{problem}");
        fs::create_dir_all(conf.join("eth1")).unwrap();
        fs::write(conf.join("eth1/rp_filter"), "1\n").unwrap();
        assert_eq!(sysctl.reverse_path("eth1"), Some(1));
        sysctl.set_reverse_path("eth1", 0).unwrap();
        assert_eq!(sysctl.reverse_path("eth1"), Some(0));
    }
}
