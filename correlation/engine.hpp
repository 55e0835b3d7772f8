// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/payload.hpp"
#include "correlation/rule.hpp"
#include "correlation/rule_health.hpp"
#include "correlation/vocabulary.hpp"
#include "messages/correlation_rule.hpp"
#include "messages/errors.hpp"

#include <memory>
#include <string>
#include <vector>

/// How correlation is put together.
///
/// 1. Keys. A platform worker, right after it made the event, calls
///    `engine::keys` and puts the result into `event::keys`; from there on they
///    travel with the event. They are a pure function of the event, so whoever
///    finds them missing (an event that comes out of the spool, a backfill)
///    computes them again.
/// 2. Threads. The store session, inside its append transaction, with the log
///    head taken and duplicates sorted out, hands the new events' keys to
///    `join` (`joiner.hpp`), with a `thread_index` that reads and writes its
///    tables on that same transaction. It writes each event's
///    `correlation_id` and `parent_event_id` from the answer, appends one
///    event for each merge (`merge_event`), and commits.
/// 3. After the commit the writer puts the facts that were learned into the
///    `vocabulary`, logs the keys that became hot, and tells metrics.
///
/// What a node's vocabulary does not know yet makes no difference to the
/// threads: such keys carry the fact they need, and `join` looks it up.
namespace eventweft::correlation {

struct engine_options {
  /// 0 … 1; keys below it do not link.
  float threshold = 0.7F;
  /// See `rule_input::max_mentions`.
  size_t max_mentions = 3;
  /// See `rule_input::branch_window`.
  uint32_t branch_window = 90u * 24 * 3'600;
  /// Failures in a row after which a rule is disabled.
  uint32_t max_failures = 10;
  /// Most keys of one event; the strongest are kept.
  size_t max_keys = 64;
  rule_failure_hook on_failure;
};

/// What one rule made of one event.
struct rule_report {
  std::string rule;
  bool applied = false;
  bool disabled = false;
  /// What it threw.
  std::string error;
  std::vector<correlation_key> keys;
};

/// What became of the store's rules, by name.
struct stored_rule_changes {
  /// New, or others than before.
  std::vector<std::string> set;
  std::vector<std::string> gone;
  /// Not in use, because there is a rule of that name that is not the store's.
  std::vector<std::string> hidden;
};

/// All rules. Set up first, then shared by all workers: the const members and
/// `replace_stored` are thread-safe.
class engine {
 public:
  /// With the built-in rules. `known` is not null.
  engine(std::shared_ptr<vocabulary> known, engine_options options);
  ~engine();
  engine(engine&&) noexcept;
  engine& operator=(engine&&) noexcept;

  /// `conflict` if there is a rule of that name.
  expected<void> add(rule_ptr r, rule_origin from = rule_origin::program);

  /// From the next event on, the store's rules are these and no others; a
  /// failed one is in use again once it is another. Events under way keep to
  /// the rules that they began with.
  stored_rule_changes replace_stored(std::vector<rule_ptr> rules);

  /// The event's keys, of equal ones the strongest. `payload` is the parsed
  /// `ev.payload`, null if that is no JSON.
  std::vector<correlation_key>
  keys(const event& ev, const simdjson::dom::element* payload) const;

  /// The same; the reader may have read the payload already.
  std::vector<correlation_key> keys(const event& ev,
                                    codec::payload_reader& reader) const;

  /// The same of an event that was acknowledged before it was stored, out of
  /// the spool or a dead letter: others may have named it as their cause since.
  std::vector<correlation_key>
  keys_of_late(const event& ev, codec::payload_reader& reader) const;

  /// What each rule finds, for people; counts nothing.
  std::vector<rule_report> explain(const event& ev,
                                   codec::payload_reader& reader) const;

  std::vector<rule_state> rules() const;
  /// How many of them are out of use, having failed too often.
  size_t disabled() const;
  /// Of all the rules and of what bears on their keys: other rules, another
  /// fingerprint. 16 hexadecimal digits.
  std::string fingerprint() const;
  const std::shared_ptr<vocabulary>& known() const noexcept;
  const engine_options& options() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace eventweft::correlation
