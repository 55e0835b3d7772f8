// SPDX-License-Identifier: Apache-2.0
#include "delivery/progress.hpp"

#include "codec/json_text.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace eventweft::delivery {

namespace {

/// A mark is written anew several times a second.
constexpr size_t longest_error = 300;
constexpr size_t most_history = 256u << 10;

int64_t micros(timestamp t) noexcept {
  return t.time_since_epoch().count();
}

timestamp moment(int64_t micros) noexcept {
  return timestamp{std::chrono::microseconds{micros}};
}

// Integers, so many at least.
template <size_t Most>
bool read_integers(simdjson::dom::element element, size_t least,
                   std::array<int64_t, Most>& out) {
  simdjson::dom::array array;
  if (element.get(array) != simdjson::SUCCESS || array.size() < least ||
      array.size() > Most)
    return false;
  size_t i = 0;
  for (const auto value : array)
    if (value.get(out[i++]) != simdjson::SUCCESS)
      return false;
  return true;
}

bool read_open(simdjson::dom::element element, unfinished& out) {
  std::array<int64_t, 5> values{};
  if (!read_integers(element, 4, values))
    return false;
  if (values[0] <= 0 || values[1] < 0 ||
      values[1] > std::numeric_limits<uint32_t>::max())
    return false;
  out = {values[0],         static_cast<uint32_t>(values[1]),
         moment(values[2]), moment(values[3]),
         moment(values[4]), {}};
  return true;
}

/// `[seq,at,error,…]`.
void append_history(std::string& out, const unfinished& u) {
  out.append("[").append(std::to_string(u.seq));
  for (const auto& one : u.history) {
    std::string text{codec::utf8_prefix(one.error, longest_error)};
    // PostgreSQL reads no JSON that has the escape of this one.
    std::ranges::replace(text, '\0', ' ');
    out.append(",").append(std::to_string(micros(one.at))).append(",");
    codec::append_quoted(out, text);
  }
  out.append("]");
}

void append_histories(std::string& out, const std::vector<unfinished>& open) {
  const auto full = out.size() + most_history;
  bool first = true;
  for (const auto& u : open) {
    if (u.history.empty())
      continue;
    if (out.size() >= full)
      break;
    out.append(std::exchange(first, false) ? ",\"failed\":[" : ",");
    append_history(out, u);
  }
  if (!first)
    out.append("]");
}

void append_companies(std::string& out, const std::vector<unfinished>& open) {
  bool first = true;
  for (const auto& u : open) {
    if (u.company == 0)
      continue;
    out.append(std::exchange(first, false) ? ",\"company\":[[" : ",[");
    out.append(std::to_string(u.seq)).append(",");
    out.append(std::to_string(u.company)).append("]");
  }
  if (!first)
    out.append("]");
}

/// Null if it is not open.
unfinished* find_open(progress_mark& mark, seq_t seq) {
  const auto found =
      std::ranges::lower_bound(mark.open, seq, {}, &unfinished::seq);
  return found == mark.open.end() || found->seq != seq ? nullptr : &*found;
}

bool read_history(simdjson::dom::element element, progress_mark& out) {
  simdjson::dom::array array;
  if (element.get(array) != simdjson::SUCCESS || array.size() < 3 ||
      array.size() % 2 == 0)
    return false;
  auto next = array.begin();
  seq_t seq = 0;
  if ((*next).get(seq) != simdjson::SUCCESS)
    return false;
  auto* const whose = find_open(out, seq);
  if (!whose || !whose->history.empty())
    return false;
  for (++next; next != array.end(); ++next) {
    int64_t at = 0;
    std::string_view text;
    if ((*next).get(at) != simdjson::SUCCESS)
      return false;
    ++next;
    if ((*next).get(text) != simdjson::SUCCESS)
      return false;
    whose->history.push_back({moment(at), std::string{text}});
  }
  return true;
}

/// What is in the list of that name, one by one, until `read` says no. Older
/// marks do not have all lists.
template <class Read>
bool read_each(simdjson::dom::element root, const char* name, Read read) {
  simdjson::dom::element there;
  if (root[name].get(there) != simdjson::SUCCESS)
    return true;
  simdjson::dom::array all;
  if (there.get(all) != simdjson::SUCCESS)
    return false;
  for (const auto one : all)
    if (!read(one))
      return false;
  return true;
}

bool read_company(simdjson::dom::element element, progress_mark& out) {
  std::array<int64_t, 2> values{};
  if (!read_integers(element, values.size(), values) || values[1] <= 0 ||
      values[1] > std::numeric_limits<uint32_t>::max())
    return false;
  auto* const whose = find_open(out, values[0]);
  if (!whose)
    return false;
  whose->company = static_cast<uint32_t>(values[1]);
  return true;
}

bool read_floor(simdjson::dom::element element, std::vector<seq_t>& out) {
  return element.get(out.emplace_back()) == simdjson::SUCCESS &&
         out.back() >= 0;
}

bool read_health(simdjson::dom::element element, endpoint_health& out) {
  std::array<int64_t, 4> values{};
  if (!read_integers(element, values.size(), values) || values[3] < 0)
    return false;
  out = {values[0], moment(values[1]), moment(values[2]),
         std::chrono::microseconds{values[3]}};
  return true;
}

/// What it has to wait at most.
std::chrono::microseconds pause_of(const unfinished& u,
                                   std::chrono::microseconds longest) noexcept {
  constexpr std::chrono::microseconds none{0};
  if (u.attempts == 0)
    return none;
  if (u.history.empty())
    return longest;
  // Both are of the clock that may be wrong.
  return std::clamp(u.due - u.history.back().at, none, longest);
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
  out.append("]");
  append_histories(out, mark.open);
  append_companies(out, mark.open);
  if (!mark.floors.empty()) {
    out.append(",\"floors\":[");
    for (const auto seq : mark.floors) {
      if (out.back() != '[')
        out.push_back(',');
      out.append(std::to_string(seq));
    }
    out.append("]");
  }
  if (const auto& e = mark.endpoint; e != endpoint_health{}) {
    out.append(",\"endpoint\":[").append(std::to_string(e.version));
    out.append(",").append(std::to_string(micros(e.paused_until)));
    out.append(",").append(std::to_string(micros(e.open_until)));
    out.append(",").append(std::to_string(e.open_for.count())).append("]");
  }
  return out += '}';
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
      root["open"].get(open) != simdjson::SUCCESS ||
      !read_each(root, "floors",
                 [&out](auto one) { return read_floor(one, out.floors); }))
    return bad();
  auto furthest = out.cursor;
  for (const auto seq : out.floors)
    furthest = std::max(furthest, seq);
  for (const auto element : open) {
    unfinished u;
    if (!read_open(element, u) || u.seq > furthest ||
        (!out.open.empty() && u.seq <= out.open.back().seq))
      return bad();
    out.open.push_back(std::move(u));
  }
  if (!read_each(root, "failed",
                 [&out](auto one) { return read_history(one, out); }) ||
      !read_each(root, "company",
                 [&out](auto one) { return read_company(one, out); }))
    return bad();
  // Older programs write none.
  simdjson::dom::element endpoint;
  if (root["endpoint"].get(endpoint) == simdjson::SUCCESS &&
      !read_health(endpoint, out.endpoint))
    return bad();
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
  cursor_ = seq;
  return open_.emplace(seq, unfinished{seq, 0, now, now}).second;
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

void progress::bring_near(timestamp now,
                          std::chrono::microseconds longest) noexcept {
  for (auto& [seq, u] : open_)
    u.due = std::min(u.due, now + pause_of(u, longest));
}

progress_mark progress::mark() const {
  progress_mark out{cursor_, {}};
  out.open.reserve(open_.size());
  for (const auto& [seq, u] : open_)
    out.open.push_back(u);
  return out;
}

} // namespace eventweft::delivery
