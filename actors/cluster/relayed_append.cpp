// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/relayed_append.hpp"

#include "messages/inspect.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/span.hpp>

#include <cassert>
#include <utility>

namespace eventweft::link {

namespace {

/// The log's own rules (see `event`): what breaks them was sent by no platform.
bool may_be_appended(const event& ev) {
  return !ev.id.is_nil() && ev.seq == 0 && !ev.platform.empty() &&
         !ev.event_id.empty() && !ev.event_type.empty() && !ev.payload.empty();
}

} // namespace

std::string events_text(std::span<const event_ptr> events) {
  caf::byte_buffer bytes;
  size_t size = 64;
  for (const auto& ev : events)
    size += ev->footprint();
  bytes.reserve(size);
  caf::binary_serializer out{nullptr, bytes};
  bool good = out.begin_sequence(events.size());
  for (const auto& ev : events)
    good = good && out.apply(*ev);
  good = good && out.end_sequence();
  assert(good);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

expected<std::vector<event_ptr>> events_of(std::string_view text) {
  const auto broken = [] {
    return fail(ec::malformed, "events to be appended that can't be read");
  };
  caf::binary_deserializer in{
      nullptr, caf::as_bytes(caf::make_span(text.data(), text.size()))};
  size_t count = 0;
  // Each takes a good many bytes: no count makes us take much memory.
  if (!in.begin_sequence(count) || count > text.size())
    return broken();
  std::vector<event_ptr> out;
  for (; count > 0; --count) {
    event ev;
    if (!in.apply(ev) || !may_be_appended(ev))
      return broken();
    out.emplace_back(std::move(ev));
  }
  if (in.remaining() != 0)
    return broken();
  return out;
}

appended appended_of(const append_result& result) {
  appended out;
  out.id = result.outcome.id;
  if (result.refused) {
    const auto& why = *result.refused;
    const bool is_row = why.code == ec::row_refused;
    out.became = is_row ? appended::kind::refused : appended::kind::not_taken;
    out.why = why.message;
    return out;
  }
  out.became = result.outcome.duplicate ? appended::kind::duplicate
                                        : appended::kind::stored;
  out.seq = result.outcome.seq;
  return out;
}

append_result result_of(const appended& x) {
  append_result out;
  out.outcome.id = x.id;
  switch (x.became) {
  case appended::kind::stored:
  case appended::kind::duplicate:
    out.outcome.seq = x.seq;
    out.outcome.duplicate = x.became == appended::kind::duplicate;
    break;
  case appended::kind::refused:
    out.refused = error{ec::row_refused, x.why};
    break;
  case appended::kind::not_taken:
    out.refused = error{ec::store_unavailable, x.why};
    break;
  }
  return out;
}

} // namespace eventweft::link
