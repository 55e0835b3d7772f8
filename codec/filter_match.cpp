// SPDX-License-Identifier: Apache-2.0
#include "codec/filter_program.hpp"
#include "codec/json_text.hpp"
#include "codec/thread_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace eventweft::codec {

using simdjson::dom::element;
using simdjson::dom::element_type;

namespace {

// Numbers that are equal have one text, however they were written: 12.0 and
// 1.2e1 are 12. Every double within these limits that has no fraction is a
// 64-bit integer.
std::string number_text(double x) {
  constexpr double least = -0x1p63;
  constexpr double beyond = 0x1p64;
  if (x == std::trunc(x) && x >= least && x < beyond)
    return x < 0 ? std::to_string(static_cast<int64_t>(x))
                 : std::to_string(static_cast<uint64_t>(x));
  return fmt::format("{}", x);
}

} // namespace

std::optional<std::string> scalar_text(element e) {
  switch (e.type()) {
  case element_type::STRING: {
    std::string out;
    append_quoted(out, e.get_string().value_unsafe());
    return out;
  }
  case element_type::OBJECT:
  case element_type::ARRAY:
    return std::nullopt;
  case element_type::DOUBLE:
    return number_text(e.get_double().value_unsafe());
  default:
    return simdjson::minify(e);
  }
}

std::optional<std::string_view> type_prefix(std::string_view type,
                                            size_t& from) {
  if (from == type.npos) {
    from = type.size();
    return type;
  }
  if (from == 0)
    return std::nullopt;
  const auto colon = type.rfind(':', from - 1);
  if (colon == type.npos)
    return std::nullopt;
  from = colon;
  return type.substr(0, colon);
}

// -- one event ----------------------------------------------------------------

namespace {

// Follows the dots of `path`. A number is an index where an array is. A member
// whose own name has dots (`payload.data.my.key`) is found as well: the longest
// name that exists wins. Of one that is repeated it is the last, as for
// `json_text_at` and for most who read JSON.
std::optional<element> follow(element at, std::string_view path) {
  if (path.empty())
    return at;
  if (at.type() == element_type::ARRAY) {
    const auto dot = path.find('.');
    size_t index = 0;
    const auto name = path.substr(0, dot);
    const auto [end, why] =
        std::from_chars(name.data(), name.data() + name.size(), index);
    element next;
    if (why != std::errc{} || end != name.data() + name.size() ||
        at.at(index).get(next))
      return std::nullopt;
    return follow(next, dot == path.npos ? "" : path.substr(dot + 1));
  }
  simdjson::dom::object members;
  if (at.get_object().get(members))
    return std::nullopt;
  for (auto end = path.size();;) {
    const auto name = path.substr(0, end);
    const auto rest = end == path.size() ? "" : path.substr(end + 1);
    std::optional<element> last;
    for (const auto& member : members)
      if (member.key == name)
        if (auto found = follow(member.value, rest))
          last = found;
    if (last)
      return last;
    end = end == 0 ? path.npos : path.rfind('.', end - 1);
    if (end == path.npos)
      return std::nullopt;
  }
}

} // namespace

const std::string& event_probe::thread() {
  if (!thread_)
    thread_ =
        ev_.correlation_id ? to_string(*ev_.correlation_id) : std::string{};
  return *thread_;
}

const std::vector<std::string>& event_probe::threads() {
  if (threads_)
    return *threads_;
  auto& out = threads_.emplace();
  if (!ev_.correlation_id)
    return out;
  out.push_back(thread());
  for (const auto& id : thread_names::shared().leading_to(*ev_.correlation_id))
    out.push_back(to_string(id));
  if (const auto merge = merge_told_by(ev_))
    if (auto from = to_string(merge->first);
        std::find(out.begin(), out.end(), from) == out.end())
      out.push_back(std::move(from));
  return out;
}

std::optional<element> event_probe::at(std::string_view path) {
  constexpr std::string_view roots[] = {"metadata.", "payload."};
  const bool in_payload = path.starts_with(roots[1]);
  if (!in_payload && !path.starts_with(roots[0]))
    return std::nullopt;
  auto& where = in_payload ? payload_ : metadata_;
  if (!std::exchange(where.tried, true)) {
    auto& reader = in_payload ? buffers_.payload : buffers_.metadata;
    auto parsed = reader.parse(in_payload ? ev_.payload.view()
                                          : std::string_view{ev_.metadata});
    if (parsed)
      where.root = *parsed;
  }
  if (!where.root)
    return std::nullopt;
  return follow(*where.root, path.substr(roots[in_payload ? 1 : 0].size()));
}

std::optional<std::string> event_probe::scalar_at(std::string_view path) {
  const auto found = at(path);
  return found ? scalar_text(*found) : std::nullopt;
}

// -- one member ---------------------------------------------------------------

text_set::text_set(const std::vector<std::string>& values, bool wildcards) {
  for (const auto& v : values)
    (wildcards && v.find('*') != v.npos ? patterns_ : exact_).push_back(v);
  for (auto* list : {&exact_, &patterns_}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
}

bool text_set::has(std::string_view text) const {
  return std::binary_search(exact_.begin(), exact_.end(), text, std::less<>{});
}

bool text_set::fits_pattern(std::string_view text) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& p) { return wildcard_match(p, text); });
}

bool text_set::contains(std::string_view text) const {
  return has(text) || fits_pattern(text);
}

bool text_set::contains_type(std::string_view type) const {
  auto from = type.npos;
  while (const auto prefix = type_prefix(type, from))
    if (has(*prefix))
      return true;
  return fits_pattern(type);
}

bool text_set::contains_any(const std::vector<std::string>& texts) const {
  return std::any_of(texts.begin(), texts.end(),
                     [this](const auto& text) { return contains(text); });
}

// -- one filter ---------------------------------------------------------------

namespace {

std::vector<uuid> ids_of(const filter& f) {
  std::vector<uuid> out;
  for (const auto& text : f.correlation_ids)
    if (const auto id = uuid::parse(text))
      out.push_back(*id);
  return out;
}

} // namespace

filter_part::filter_part(const filter& f)
    : min_priority(f.min_priority),
      platforms(f.platforms, false),
      types(f.event_types, true),
      source_ids(f.source_ids, false),
      source_names(f.source_names, true),
      actor_ids(f.actor_ids, false),
      threads(f.correlation_ids, false),
      conditions(f.custom_filters.begin(), f.custom_filters.end()),
      watch(thread_names::shared().watch(ids_of(f))) {
  // nop
}

bool filter_part::matches(event_probe& probe) const {
  const auto& ev = probe.value();
  const auto fits = [](const text_set& wanted, std::string_view text) {
    return wanted.empty() || wanted.contains(text);
  };
  return (!min_priority || ev.priority >= *min_priority) &&
         fits(platforms, ev.platform) &&
         (types.empty() || types.contains_type(ev.event_type)) &&
         fits(source_ids, ev.source_id) && fits(source_names, ev.source_name) &&
         fits(actor_ids, ev.actor_id) &&
         (threads.empty() || threads.contains_any(probe.threads())) &&
         std::all_of(conditions.begin(), conditions.end(), [&](const auto& c) {
           return probe.scalar_at(c.first) == c.second;
         });
}

bool filter_program::matches(event_probe& probe) const {
  return std::all_of(parts.begin(), parts.end(),
                     [&](const auto& part) { return part.matches(probe); });
}

compiled_filter::compiled_filter() : compiled_filter(filter{}) {
  // nop
}

compiled_filter::compiled_filter(const filter& f)
    : compiled_filter(f, filter{}) {
  // nop
}

compiled_filter::compiled_filter(const filter& stream, const filter& reader)
    : compiled_filter(stream, reader, filter{}) {
  // nop
}

compiled_filter::compiled_filter(const filter& stream, const filter& reader,
                                 const filter& forced) {
  auto made = std::make_shared<filter_program>();
  const std::array all{&stream, &reader, &forced};
  for (auto i = all.begin(); i != all.end(); ++i) {
    const auto* f = *i;
    const bool again =
        std::any_of(all.begin(), i, [f](const auto* o) { return *o == *f; });
    if (f->empty() || again)
      continue;
    made->parts.emplace_back(*f);
    made->key.append(filter_json(*f));
  }
  program_ = std::move(made);
}

bool compiled_filter::matches(const event& ev) const {
  thread_local probe_buffers buffers;
  event_probe probe{ev, buffers};
  return program_->matches(probe);
}

const std::string& compiled_filter::key() const noexcept {
  return program_->key;
}

} // namespace eventweft::codec
