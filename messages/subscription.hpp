// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/fence.hpp"
#include "messages/filter.hpp"
#include "messages/outgoing.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Streams and the subscriptions that outlive a connection, as plain data.
namespace eventweft {

/// A named filter over the log.
struct stream_definition {
  /// 1 to 100 of `A-Za-z0-9_.-`.
  std::string name;
  std::string description;
  eventweft::filter filter;
  /// There from the start; can neither be changed nor deleted.
  bool built_in = false;
  timestamp created_at{};
  /// As it was read; the store raises it with each change. 1: a new one.
  int64_t version = 1;

  bool operator==(const stream_definition&) const = default;
};

/// Where a subscription's events go.
enum class subscription_type : uint8_t { webhook = 0, nats = 1, kafka = 2 };

/// "webhook", "nats", "kafka"
std::string_view to_string(subscription_type t) noexcept;
std::optional<subscription_type>
parse_subscription_type(std::string_view text) noexcept;

/// What one subscriber wants, and how.
struct subscription {
  uuid id;
  std::string stream;
  /// Whose it is, as the subscriber calls itself.
  std::string subscriber_id;
  subscription_type type = subscription_type::webhook;
  /// `https://…`; `nats://HOST:PORT/SUBJECT`; `kafka://HOST:PORT/TOPIC`.
  std::string url;
  /// On top of the stream's own.
  eventweft::filter filter;
  /// What deliveries are signed with, the newest first. Secret.
  std::vector<std::string> secrets;
  wire_format format = wire_format::native;
  /// One at a time, in the log's order.
  bool ordered = false;
  /// Sent along with each delivery. May be secret.
  outgoing::header_list headers;
  /// Requests under way at once; 0: the configuration's.
  uint32_t max_concurrent = 0;
  /// 0: no limit.
  double rate_per_second = 0;
  /// Off: nothing is delivered and retention does not wait for it.
  bool active = true;
  /// Why the hub itself switched it off; empty if it did not.
  std::string disabled_reason;
  timestamp created_at{};
  /// As a stream's.
  int64_t version = 1;

  bool operator==(const subscription&) const = default;
};

/// How far a subscription is. Written by its one sender.
struct subscription_progress {
  /// Retention may let go of everything up to here.
  seq_t done_until = 0;
  /// `delivery::mark_json`; empty: from `done_until` on, nothing open.
  std::string mark;
  /// A replay that is not through with the log yet; empty: none. See
  /// `codec::replay_json`.
  std::string replay;
  /// Events that matched, that arrived, attempts that failed, events that were
  /// given up.
  int64_t matched = 0;
  int64_t delivered = 0;
  int64_t failed = 0;
  int64_t given_up = 0;
  /// Of the newest event that was delivered.
  seq_t last_seq = 0;
  std::optional<timestamp> last_delivery_at;

  bool operator==(const subscription_progress&) const = default;
};

struct subscription_record {
  subscription what;
  subscription_progress progress;

  bool operator==(const subscription_record&) const = default;
};

/// One attempt to hand one event to one subscription.
struct delivery_attempt {
  enum class state : uint8_t {
    pending = 0,   ///< it failed, another one will follow
    delivered = 1, ///< it arrived
    failed = 2,    ///< it failed and there will be no other
  };

  uuid id;
  uuid subscription_id;
  uuid event_id;
  timestamp event_created_at{};
  seq_t event_seq = 0;
  /// From 1.
  uint32_t attempt = 1;
  state status = state::pending;
  /// What came back; 0 if there was no answer.
  int32_t response_status = 0;
  /// The start of the answer's body, as far as it is text.
  std::string response_body;
  /// What went wrong; empty if nothing did.
  std::string error_message;
  /// Seconds.
  double duration = 0;
  timestamp created_at{};
  std::optional<timestamp> next_attempt_at;

  bool operator==(const delivery_attempt&) const = default;
};

/// "pending", "delivered", "failed"
std::string_view to_string(delivery_attempt::state s) noexcept;

/// What a sender has to be written down, in one transaction.
struct delivery_report {
  uuid subscription_id;
  fence proof;
  subscription_progress progress;
  std::vector<delivery_attempt> attempts;
  /// Switches the subscription off if it is not empty.
  std::string disabled_reason;
};

/// Which events of the past a subscription is to get once more.
struct replay_request {
  start_point since;
  /// Before this time; nothing: up to the present end of the log.
  std::optional<timestamp> until;
  eventweft::filter filter;
  /// Only this one; the others are not looked at.
  std::optional<uuid> event_id;
  /// Only counts.
  bool dry_run = false;
};

struct replay_answer {
  /// Looked at: what comes after `after`, up to `until`.
  seq_t after = 0;
  seq_t until = 0;
  /// How many match; known for a dry run only.
  std::optional<int64_t> matched;
};

/// How a test delivery went.
struct delivery_test {
  bool delivered = false;
  int32_t response_status = 0;
  std::string response_body;
  std::string error_message;
  double duration = 0; ///< seconds
};

/// What a new subscription is made of.
struct new_subscription {
  /// Without id, secrets and time.
  subscription what;
  /// Given by the client; empty: to be made.
  std::string secret;
  /// For a made one: an Ed25519 key instead of a shared secret.
  bool asymmetric = false;
  start_point since;
};

/// What is to be different about a subscription; what is not given stays.
struct subscription_change {
  std::optional<std::string> subscriber_id;
  std::optional<std::string> url;
  std::optional<eventweft::filter> filter;
  std::optional<wire_format> format;
  std::optional<bool> ordered;
  std::optional<outgoing::header_list> headers;
  std::optional<uint32_t> max_concurrent;
  std::optional<double> rate_per_second;
  std::optional<bool> active;
  /// A new secret; the ones before it go on signing beside it.
  bool rotate_secret = false;
  /// The new one; empty: made up.
  std::string secret;
  /// All but the newest one are forgotten.
  bool drop_old_secrets = false;
};

struct stream_change {
  std::optional<std::string> description;
  std::optional<eventweft::filter> filter;
};

/// What a subscription is doing on this node right now.
struct subscription_figures {
  /// "delivering", "paused", "disabled", "elsewhere" (another node's),
  /// "off" (nothing is delivered here), "starting"
  std::string state = "starting";
  /// Of "elsewhere": the node that knows the rest; empty if none is known.
  std::string owner{};
  int64_t matched = 0;
  int64_t delivered = 0;
  int64_t failed = 0;
  int64_t given_up = 0;
  /// Taken up and not done with; those of it that are under way.
  int64_t open = 0;
  int64_t under_way = 0;
  /// "closed", "open", "half_open"
  std::string breaker = "closed";
  seq_t last_seq = 0;
  /// Everything up to it has been looked at.
  seq_t cursor = 0;
  int64_t lag_events = 0;
  double lag_seconds = 0;
  bool replaying = false;
  std::optional<timestamp> last_delivery_at;
  std::string last_error;
};

/// A subscription as the API shows it.
struct subscription_view {
  subscription what;
  subscription_figures figures;
  /// `whpk_…`, what receivers verify with, newest first; none of HMAC secrets.
  std::vector<std::string> public_keys;
  /// Set once, in the answer to what made it. Secret.
  std::string new_secret;
};

/// Everything that is stored of streams and subscriptions but progress.
struct subscription_list {
  std::vector<stream_definition> streams;
  std::vector<subscription> subscriptions;
};

/// What a sender works for: the subscription, and its stream's filter.
struct delivery_order {
  subscription what;
  filter stream_filter;

  bool operator==(const delivery_order&) const = default;
};

/// How one request ended.
struct delivery_end {
  seq_t seq = 0;
  uint32_t number = 1;
  timestamp started{};
  outgoing::result outcome;
  /// Of the sender's work when the request left.
  uint64_t life = 0;
};

using delivery_end_ptr = std::shared_ptr<const delivery_end>;

struct report_batch {
  std::vector<delivery_report> reports;
};
struct report_results {
  std::vector<std::optional<error>> items;
};
struct delivery_list {
  std::vector<delivery_attempt> attempts;
};
struct subscription_views {
  std::vector<subscription_view> items;
};

} // namespace eventweft
