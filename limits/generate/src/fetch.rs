//! Reads EC2's `DescribeInstanceTypes` to the end. The one file that names the AWS SDK.

use crate::{
    described::{self, Described},
    endpoint::is_on_this_machine,
    pages::{PageError, Pages},
};
use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_ec2::{
    Client,
    config::Credentials,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        EnaSupport, InstanceType, InstanceTypeHypervisor, InstanceTypeInfo, NetworkCardInfo,
        NetworkInfo,
    },
};
use serde_json::Value;
use std::{collections::BTreeMap, error::Error, time::Duration};

/// The most types EC2 puts on a page.
const PAGE: i32 = 100;

/// For one page, retries included. moto needs about two seconds for all types on one page.
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// Reads every page of one region and returns every type by name; `progress` is told after each page.
///
/// `endpoint` is called instead of AWS when given, and with placeholder credentials when it is on this
/// machine. Without a `region` the environment or the profile names it.
///
/// # Errors
/// Any page that does not come, or that [`Pages`] does not believe.
pub async fn instance_types(
    endpoint: Option<&str>,
    region: Option<&str>,
    progress: impl Fn(&Pages),
) -> Result<BTreeMap<String, described::InstanceType>, FetchError> {
    let client = Client::new(&configuration(endpoint, region).await);
    let mut answers = client
        .describe_instance_types()
        .max_results(PAGE)
        .into_paginator()
        // The client only compares neighbours; `Pages` finds every repeated token.
        .stop_on_duplicate_token(false)
        .send();
    let mut pages = Pages::default();
    while let Some(answer) = answers.next().await {
        let page = pages.count() + 1;
        let answer = answer.map_err(|error| failed(page, error))?;
        let described: Vec<Described> = answer.instance_types().iter().map(described).collect();
        pages.accept(&described, answer.next_token().filter(|token| !token.is_empty()))?;
        progress(&pages);
    }
    Ok(pages.finish()?)
}

fn failed<E>(page: usize, error: SdkError<E>) -> FetchError
where
    SdkError<E>: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => {
            FetchError::Refused { page, code: code.to_owned(), message: message.to_owned() }
        }
        _ => FetchError::NoAnswer { page, source: error.into() },
    }
}

async fn configuration(endpoint: Option<&str>, region: Option<&str>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_timeout(ANSWER_WITHIN).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
    let mut region = region;
    if let Some(url) = endpoint {
        loader = loader.endpoint_url(url);
        if is_on_this_machine(url) {
            let placeholder =
                Credentials::new("placeholder", "placeholder", None, None, "loopback");
            loader = loader.credentials_provider(placeholder);
            region = region.or(Some("us-east-1"));
        }
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

/// What EC2 says, without judging it.
fn described(info: &InstanceTypeInfo) -> Described {
    let network = info.network_info();
    let figure = |of: fn(&NetworkInfo) -> Option<i32>| Value::from(network.and_then(of));
    let cards = network.and_then(|network| network.network_cards.as_ref());
    Described {
        instance_type: info.instance_type().map(InstanceType::as_str).into(),
        hypervisor: info.hypervisor().map(InstanceTypeHypervisor::as_str).into(),
        bare_metal: info.bare_metal().into(),
        ena_support: network.and_then(NetworkInfo::ena_support).map(EnaSupport::as_str).into(),
        maximum_network_interfaces: figure(NetworkInfo::maximum_network_interfaces),
        default_network_card_index: figure(NetworkInfo::default_network_card_index),
        network_cards: cards.map(|cards| cards.iter().map(card).collect::<Value>()).into(),
        ipv4_addresses_per_interface: figure(NetworkInfo::ipv4_addresses_per_interface),
        ipv6_addresses_per_interface: figure(NetworkInfo::ipv6_addresses_per_interface),
    }
}

fn card(card: &NetworkCardInfo) -> Value {
    let pair = [card.network_card_index(), card.maximum_network_interfaces()];
    pair.into_iter().collect()
}

/// Why there is no list of instance types.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// EC2 answered with an error.
    #[error("page {page} of DescribeInstanceTypes: {code}: {message}")]
    Refused {
        /// The page, counted from 1.
        page: usize,
        /// EC2's code, such as `UnauthorizedOperation`.
        code: String,
        /// EC2's explanation.
        message: String,
    },
    /// There is no answer, or none that can be read.
    #[error("page {page} of DescribeInstanceTypes")]
    NoAnswer {
        /// The page, counted from 1.
        page: usize,
        /// What the EC2 client says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// EC2 answered with something that is not believed.
    #[error(transparent)]
    Page(#[from] PageError),
}
