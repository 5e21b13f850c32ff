//! The queue, as the agent sees it.

use std::process::Command;
use std::time::{Duration, Instant};

use berth_cni::protocol::{Attachment, DelRequest};
use berth_cni::queue::{Drained, Enqueued, Queue, QueueError};
use tempfile::TempDir;

fn request(container: &str) -> DelRequest {
    let attachment = Attachment {
        network: "berth".to_owned(),
        container_id: container.to_owned(),
        interface: "eth0".to_owned(),
    };
    DelRequest { attachment }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn enqueue(queue: &Queue, container: &str) {
    let attempt = || Ok::<_, QueueError>(Enqueued::Written);
    assert_eq!(queue.enqueue(&request(container), soon(), attempt).unwrap(), Enqueued::Written);
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn no_folder_is_an_empty_queue() {
    let folder = TempDir::new().unwrap();
    let queue = Queue::new(folder.path().join("none"));
    assert_eq!(queue.drain(|_| Ok(())).unwrap(), Drained::default());
    assert_eq!(names(&folder), [""; 0], "and none is made");
}

#[test]
fn each_is_removed_only_when_it_is_carried_out() {
    let folder = TempDir::new().unwrap();
    let queue = Queue::new(folder.path());
    for container in ["c1", "c2", "c3"] {
        enqueue(&queue, container);
    }
    let drained = queue
        .drain(|asked| if asked == request("c2") { Err("disk full".to_owned()) } else { Ok(()) })
        .unwrap();
    assert_eq!((drained.done, drained.kept.len()), (2, 1));
    assert!(drained.kept[0].ends_with(".delete: disk full"), "{drained:?}");
    let mut left = Vec::new();
    queue
        .drain(|asked| {
            left.push(asked);
            Ok(())
        })
        .unwrap();
    assert_eq!(left, [request("c2")]);
    assert_eq!(names(&folder), ["lock"]);
}

#[test]
fn what_is_no_del_is_put_aside_and_stops_nothing() {
    let folder = TempDir::new().unwrap();
    let queue = Queue::new(folder.path());
    enqueue(&queue, "c1");
    std::fs::write(folder.path().join("0.delete"), "{\"attachment\":").unwrap();
    std::fs::write(folder.path().join("1.delete"), "x".repeat(1 << 20)).unwrap();
    std::fs::create_dir(folder.path().join("2.delete")).unwrap();
    let pipe = Command::new("mkfifo").arg(folder.path().join("3.delete")).status();
    assert!(pipe.unwrap().success());
    std::os::unix::fs::symlink("0.delete", folder.path().join("4.delete")).unwrap();
    std::fs::write(folder.path().join("17-3.delete.tmp"), "half").unwrap();
    std::fs::write(folder.path().join("notes"), "left alone").unwrap();
    let drained = queue.drain(|_| Ok(())).unwrap();
    assert_eq!((drained.done, drained.kept.len(), drained.unreadable.len()), (1, 0, 5));
    let aside = (0..5).map(|number| format!("{number}.delete.unreadable"));
    let left = aside.chain(["lock", "notes"].map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(names(&folder), left);
    assert_eq!(queue.drain(|_| Ok(())).unwrap(), Drained::default());
}

#[test]
fn a_del_that_is_done_after_all_is_not_written() {
    let folder = TempDir::new().unwrap();
    let queue = Queue::new(folder.path());
    let attempt = || Ok::<_, QueueError>(Enqueued::NotNeeded);
    assert_eq!(queue.enqueue(&request("c1"), soon(), attempt).unwrap(), Enqueued::NotNeeded);
    assert_eq!(names(&folder), ["lock"]);
}

#[test]
fn nobody_writes_while_the_agent_drains_and_nobody_waits_for_ever() {
    let folder = TempDir::new().unwrap();
    let queue = Queue::new(folder.path());
    enqueue(&queue, "c1");
    let drained = queue.drain(|_| {
        let attempt = || -> Result<Enqueued, QueueError> { panic!("the lock is the agent's") };
        let refused = queue.enqueue(&request("c2"), Instant::now(), attempt).unwrap_err();
        assert!(matches!(refused, QueueError::Locked { .. }), "{refused}");
        Ok(())
    });
    assert_eq!(drained.unwrap().done, 1);
}
