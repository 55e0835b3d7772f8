// SPDX-License-Identifier: Apache-2.0
// How committed events are put into frames, and taken out of them.
#include "actors/cluster/frame.hpp"
#include "codec/event_json.hpp"

#include <utility>

namespace eventweft::link {

std::vector<data_item> pieces_of(const log_range& range, size_t fill) {
  std::vector<data_item> out;
  if (!range.news.empty()) {
    if (bytes_of(range.news) > fill)
      return {head_item{range.last}};
    out.emplace_back(news_item{range.news});
  }
  events_item piece;
  piece.first = range.first;
  size_t bytes = 0;
  const auto flush = [&](seq_t last) {
    if (last < piece.first)
      return;
    piece.last = last;
    out.emplace_back(std::exchange(piece, {}));
    piece.first = last + 1;
    bytes = 0;
  };
  for (const auto& ev : range.events) {
    const std::string_view text = codec::wire_text(ev, wire_format::native);
    if (bytes + text.size() + 64 > fill)
      flush(ev->seq - 1);
    if (text.size() + 64 > fill) {
      out.emplace_back(head_item{ev->seq});
      piece.first = ev->seq + 1;
      continue;
    }
    piece.events.emplace_back(text);
    bytes += text.size() + 4;
  }
  flush(range.last);
  return out;
}

expected<log_range_ptr> range_of(const events_item& item, thread_news news) {
  log_range out{item.first, item.last, {}, std::move(news)};
  auto last = item.first - 1;
  if (item.first < 1 || item.last < item.first)
    return fail(ec::malformed, "an empty range of the log");
  out.events.reserve(item.events.size());
  for (const auto& text : item.events) {
    auto ev = codec::parse_native(text);
    if (!ev)
      return fail(ev.error());
    if (ev->seq <= last || ev->seq > item.last)
      return fail(ec::malformed, "an event outside of its range");
    last = ev->seq;
    out.events.emplace_back(std::move(*ev));
  }
  return std::make_shared<const log_range>(std::move(out));
}

} // namespace eventweft::link
