//! Creating objects.

use jiff::Timestamp;
use serde_json::Value;

use super::review::{self, WriteOptions};
use super::{Refusal, Store, Written, labels};
use crate::resource::{Resource, ResourceId};
use crate::status::Status;
use crate::stored::Key;
use crate::{builtin, crd, metadata};

/// The characters of a generated name: none that make words or look like another.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// Length of what is put behind `generateName`.
const SUFFIX_LENGTH: usize = 5;
/// The longest `generateName` that is kept whole.
const PREFIX_MAX: usize = 63 - SUFFIX_LENGTH;

impl Store {
    /// Creates an object. `namespace` is that of the path, empty for cluster-scoped resources.
    ///
    /// # Errors
    ///
    /// 400, 404 for a namespace that does not exist, 403 for one that is going, 409 where the name is taken, 422.
    pub fn create(
        &mut self,
        id: ResourceId,
        namespace: &str,
        mut object: Value,
        options: WriteOptions,
        now: Timestamp,
    ) -> Result<Written, Refusal> {
        let resource = self.collection(id)?.resource.clone();
        review::check_kind(&resource, &mut object)?;
        labels::check_types(&object)?;
        review::settle_namespace(&resource, &mut object, namespace)?;
        if metadata::text(&object, "resourceVersion").is_some_and(|version| version != "0") {
            let why = "resourceVersion should not be set on objects to be created";
            return Err(Status::unforeseen(why).into());
        }
        self.name(&mut object);
        self.begin(&resource, &mut object, now);
        let warnings = review::shape(&resource, &mut object, options.field_validation, None)?;
        review::check_name(&resource, &object)?;
        labels::check(&resource, &object)?;
        self.check_namespace(&resource, &object)?;
        let name = metadata::text(&object, "name").unwrap_or_default();
        let key = Key::new(namespace, name);
        if self.collection(id)?.objects.contains_key(&key) {
            return Err(Status::already_exists(&resource.qualified_name(), name).into());
        }
        let registers = self.definition(&resource, &mut object, Some(now))?;
        if options.dry_run {
            let object = crate::stored::Stored::new(object, 0).into();
            return Ok(Written { object, warnings });
        }
        let object = self.commit(id, None, object, false);
        if let Some(registers) = registers {
            self.register(registers);
        }
        self.collect_if_orphaned(id, object.key(), now);
        Ok(Written { object, warnings })
    }

    /// Makes up a name where the client leaves that to the server.
    fn name(&mut self, object: &mut Value) {
        let (None, Some(prefix)) =
            (metadata::text(object, "name"), metadata::text(object, "generateName"))
        else {
            return;
        };
        let prefix: String = prefix.chars().take(PREFIX_MAX).collect();
        let mut name = prefix;
        for _ in 0..SUFFIX_LENGTH {
            name.push(char::from(SUFFIX[self.random.usize(..SUFFIX.len())]));
        }
        metadata::set(object, "name", name.into());
    }

    /// Puts in what only the server may say about a new object.
    fn begin(&mut self, resource: &Resource, object: &mut Value, now: Timestamp) {
        for member in [
            "resourceVersion",
            "generation",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "managedFields",
            "selfLink",
        ] {
            metadata::set(object, member, Value::Null);
        }
        metadata::set(object, "uid", self.uid().into());
        metadata::set(object, "creationTimestamp", metadata::time(now).into());
        if builtin::has_generation(resource) {
            metadata::set(object, "generation", 1.into());
        }
        if resource.schema.is_some()
            && resource.status_subresource
            && let Some(members) = object.as_object_mut()
        {
            members.remove("status");
        }
        builtin::initialise(resource, object);
    }

    /// A random uid, as RFC 4122 (version 4) spells it.
    fn uid(&mut self) -> String {
        let bits = self.random.u128(..);
        let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    /// What an object registers if it is a definition. A new one gets its status, for which `now` is the time.
    pub(super) fn definition(
        &self,
        resource: &Resource,
        object: &mut Value,
        now: Option<Timestamp>,
    ) -> Result<Option<Resource>, Refusal> {
        if resource.qualified_name() != builtin::DEFINITION {
            return Ok(None);
        }
        crd::complete(object);
        let registers =
            crd::parse(object).map_err(|errors| review::invalid(resource, object, &errors))?;
        let served = self.find(&registers.group, &registers.plural);
        if let Some(now) = now {
            if served.is_some() {
                let name = registers.qualified_name();
                return Err(Status::already_exists(&resource.qualified_name(), &name).into());
            }
            object["status"] = crd::status(object, now);
        }
        Ok(Some(registers))
    }
}
