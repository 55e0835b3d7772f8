// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

/// What was changed. Append only: the numbers travel between nodes.
enum class control_kind : uint8_t {
  streams = 0,       ///< a stream was made, changed or deleted; its name
  subscriptions = 1, ///< a webhook subscription was; its id
  keys = 2,          ///< an API key was made or changed; its id. One that
                     ///< was revoked: `revoked_key_text`
  rules = 3,         ///< correlation rules were; their name
  dead_letters = 4,  ///< whose it is should retry a dead letter; its id
  threads = 5,       ///< threads were joined; the thread's id
  log_level = 6,     ///< `what` is `log_level_text`
};
inline constexpr uint8_t last_control_kind = 6;

std::string_view to_string(control_kind kind) noexcept;

/// What is said of a new log level: `debug` for all parts, else
/// `stream_hub=debug`.
std::string log_level_text(std::string_view component, std::string_view level);

/// Component (`*` for all) and level of it. Refers to `text`.
std::pair<std::string_view, std::string_view>
read_log_level(std::string_view text) noexcept;

/// What is said of an API key that was revoked. It says so by itself: a node
/// may be linked and have no way to the store at that moment.
std::string revoked_key_text(std::string_view id);

/// The id of it; empty if nothing is said of a revoked key. Refers to `text`.
std::string_view read_revoked_key(std::string_view text) noexcept;

/// A change that others may hold an older copy of. It says what changed, not
/// how: who keeps a copy reads it anew from the store.
struct control_event {
  control_kind kind = control_kind::streams;
  /// Name or id of what changed; empty: anything of that kind may have.
  std::string what;

  bool operator==(const control_event&) const = default;
};

/// Tells everybody who keeps a copy of something, on this node and on all
/// others, that it changed.
///
/// Who changes something: commit it to the store, then
/// `ctx.control->announce({control_kind::streams, name})`. With several nodes
/// it is with the others within a second; with one node it is local.
///
/// Who keeps a copy: `guard = ctx.control->subscribe(control_kind::streams,
/// [] (const control_event& e) { … })` and read again from the store (on a
/// thread of its own: the callback must return at once). An empty `what`
/// comes when messages may have been missed (a link or the database was away),
/// so it must mean "read everything of mine again". What is announced is
/// repeated at times; reading again must be harmless.
///
/// Thread-safe. Callbacks run on the thread that announces, one after the
/// other, without a lock held: they may announce and subscribe themselves.
class control_bus {
 public:
  using callback = std::function<void(const control_event&)>;

  /// To everybody here and on the other nodes.
  void announce(const control_event& e);

  /// Until the guard is gone. A call that runs meanwhile on another thread may
  /// still end after that.
  [[nodiscard]] std::shared_ptr<void> subscribe(control_kind kind, callback f);

  /// For what carries events to other nodes: called with what was announced
  /// here.
  [[nodiscard]] std::shared_ptr<void> carry(callback f);

  /// For the same: what came from another node. Goes to subscribers only.
  void deliver(const control_event& e);

  /// The same of what came by a link. A log level is not kept anywhere: it is
  /// what is said of it last. Links keep no order among nodes, the database's
  /// bell has one for all: while that is heard, only it says levels.
  void deliver_by_link(const control_event& e);

  /// Whether the database's bell is heard; written by who listens to it.
  std::atomic<bool>& hears_bell() noexcept { return hears_bell_; }

  /// Something may have been missed: an empty event of each kind, here.
  void resync();

 private:
  struct entry {
    control_kind kind = control_kind::streams;
    bool outwards = false;
    callback call;
  };
  std::shared_ptr<void> add(entry e);
  void call(const control_event& e, bool outwards);

  /// Guards outlive the bus at times.
  struct table {
    std::mutex mutex;
    uint64_t last = 0;
    std::map<uint64_t, std::shared_ptr<const entry>> entries;
  };
  std::atomic<bool> hears_bell_{false};
  std::shared_ptr<table> table_ = std::make_shared<table>();
};

} // namespace eventweft
