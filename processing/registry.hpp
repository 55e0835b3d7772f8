// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/filter.hpp"
#include "messages/change_listeners.hpp"
#include "processing/processor.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace eventweft::processing {

/// A processor as it was registered, made ready.
struct registered {
  processor what;
  codec::compiled_filter filter;
  /// Tells this registration from an earlier one of the same name.
  uint64_t number = 0;
  /// The end of the log when the server started with it.
  std::optional<seq_t> head_at_start;
};

using registered_ptr = std::shared_ptr<const registered>;

/// The processors there are, from whatever they come: the library, the
/// configuration. They may be added and removed while the engine runs.
/// Thread-safe.
class registry {
 public:
  registry();
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;

  /// `conflict` if there is one of that name, `unprocessable` as `check` says.
  expected<void> add(processor p);

  /// Nothing is handed to it any more; what runs is asked to stop. What it has
  /// not done yet is remembered in the store and goes on if a processor of
  /// this name is added again. False if there is none.
  bool remove(std::string_view name);

  /// The server starts, and the log ends there: what comes in from now on is
  /// new to those that are here, however long their start takes.
  void starts_at(seq_t head);
  /// It has begun, and would not begin there again.
  void begun(std::string_view name);

  /// Whether all that the start brings are here, so that who is missing is
  /// gone. It is so until told otherwise; a change is told like any other.
  void set_complete(bool all_here);
  bool complete() const;

  /// In the order of their names.
  std::vector<registered_ptr> all() const;
  registered_ptr find(std::string_view name) const;

  /// Whether some processor that answers wants the event. Cheap when there is
  /// none.
  bool answers(const event& ev) const;

  /// Calls `changed`, on the thread of whoever changed something, after each
  /// change until the returned guard is gone. It must return at once and not
  /// call the registry.
  std::shared_ptr<void> on_change(std::function<void()> changed);

 private:
  using list = std::vector<registered_ptr>;

  std::shared_ptr<const list> snapshot() const;
  void change(const std::function<void(registered&)>& how);

  mutable std::mutex mutex_;
  std::shared_ptr<const list> list_;
  std::shared_ptr<const list> answering_;
  change_listeners listeners_;
  uint64_t last_number_ = 0;
  bool complete_ = true;
};

using registry_ptr = std::shared_ptr<registry>;

} // namespace eventweft::processing
