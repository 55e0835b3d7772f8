// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/filter.hpp"
#include "messages/event.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace eventweft::codec {

/// Many filters, and which of them match an event, without trying each. Every
/// filter is filed under the values of one member it asks for exactly: the one
/// whose values the fewest others are filed under, be it a thread, a source,
/// an actor, an event type, a platform, or what is at a path of the payload.
/// An event is tried with what is filed under its own values, and with those
/// that ask for nothing exact. Its payload is parsed at most once.
///
/// Used by one thread at a time.
class filter_index {
 public:
  using id_type = uint64_t;

  filter_index();
  ~filter_index();
  filter_index(filter_index&&) noexcept;
  filter_index& operator=(filter_index&&) noexcept;

  /// Takes the place of what `id` had before.
  void insert(id_type id, compiled_filter f);
  void erase(id_type id);
  size_t size() const noexcept;

  /// Appends the ids of all filters that match, each once, in no order.
  void match(const event& ev, std::vector<id_type>& out);

  /// How many filters were tried so far.
  uint64_t tried() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace eventweft::codec
