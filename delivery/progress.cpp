// SPDX-License-Identifier: Apache-2.0
#include "delivery/progress.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <limits>

namespace eventweft::delivery {

namespace {

int64_t micros(timestamp t) noexcept {
  return t.time_since_epoch().count();
}

timestamp moment(int64_t micros) noexcept {
  return timestamp{std::chrono::microseconds{micros}};
}

// Four integers, or five.
bool read_open(simdjson::dom::element element, unfinished& out) {
  simdjson::dom::array array;
  if (element.get(array) != simdjson::SUCCESS || array.size() < 4 ||
      array.size() > 5)
    return false;
  std::array<int64_t, 5> values{};
  size_t i = 0;
  for (const auto value : array)
    if (value.get(values[i++]) != simdjson::SUCCESS)
      return false;
  if (values[0] <= 0 || values[1] < 0 ||
      values[1] > std::numeric_limits<uint32_t>::max())
    return false;
  out = {values[0], static_cast<uint32_t>(values[1]), moment(values[2]),
         moment(values[3]), moment(values[4])};
  return true;
}

} // namespace

std::string mark_json(const progress_mark& mark) {
  std::string out =
      "{\"cursor\":" + std::to_string(mark.cursor) + ",\"open\":[";
  for (const auto& u : mark.open) {
    if (out.back() == ']')
      out.push_back(',');
    out.append("[").append(std::to_string(u.seq));
    out.append(",").append(std::to_string(u.attempts));
    out.append(",").append(std::to_string(micros(u.due)));
    out.append(",").append(std::to_string(micros(u.since)));
    if (u.again != timestamp{})
      out.append(",").append(std::to_string(micros(u.again)));
    out.append("]");
  }
  return out += "]}";
}

expected<progress_mark> parse_mark(std::string_view text) {
  const auto bad = [] {
    return fail(ec::corrupt, "a subscription's progress can't be read");
  };
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array open;
  progress_mark out;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS ||
      root["cursor"].get(out.cursor) != simdjson::SUCCESS || out.cursor < 0 ||
      root["open"].get(open) != simdjson::SUCCESS)
    return bad();
  for (const auto element : open) {
    unfinished u;
    if (!read_open(element, u) || u.seq > out.cursor ||
        (!out.open.empty() && u.seq <= out.open.back().seq))
      return bad();
    out.open.push_back(u);
  }
  return out;
}

progress::progress(progress_mark from, size_t max_open)
    : cursor_(from.cursor), max_open_(max_open) {
  for (const auto& u : from.open)
    open_.emplace(u.seq, u);
}

bool progress::take_up(seq_t seq, timestamp now) {
  if (full() || seq <= cursor_)
    return false;
  open_.emplace(seq, unfinished{seq, 0, now, now});
  cursor_ = seq;
  return true;
}

bool progress::reopen(seq_t seq, timestamp now) {
  return !full() && seq <= cursor_ &&
         open_.emplace(seq, unfinished{seq, 0, now, now, now}).second;
}

void progress::pass_over(seq_t seq) noexcept {
  cursor_ = std::max(cursor_, seq);
}

unfinished* progress::find(seq_t seq) noexcept {
  const auto it = open_.find(seq);
  return it == open_.end() ? nullptr : &it->second;
}

progress_mark progress::mark() const {
  progress_mark out{cursor_, {}};
  out.open.reserve(open_.size());
  for (const auto& [seq, u] : open_)
    out.open.push_back(u);
  return out;
}

} // namespace eventweft::delivery
