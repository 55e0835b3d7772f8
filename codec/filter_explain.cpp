// SPDX-License-Identifier: Apache-2.0
#include "codec/filter_explain.hpp"

#include "codec/filter_program.hpp"
#include "codec/json_text.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::codec {

namespace {

/// Longer values are cut: they are shown to people.
constexpr size_t shown_bytes = 200;

std::string list_json(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const auto& v : values) {
    if (out.size() > 1)
      out += ',';
    append_quoted(out, v);
  }
  return out += ']';
}

std::string shown(std::string_view text) {
  if (text.size() <= shown_bytes)
    return std::string{text};
  auto end = shown_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return std::string{text.substr(0, end)} + "…";
}

class explainer {
 public:
  explainer(const event& ev, filter_explanation& out) : ev_(ev), out_(out) {}

  void list(std::string_view member, const std::vector<std::string>& wanted,
            std::string_view found, bool matched) {
    if (wanted.empty())
      return;
    member_verdict v{std::string{member},
                     matched,
                     list_json(wanted),
                     found.empty() ? std::string{} : quoted(found),
                     {}};
    if (!matched)
      v.why = found.empty() ? "the event has none"
                            : "the event's is " + shown(v.found) +
                                  ", which is none of these";
    add(std::move(v));
  }

  void least_priority(priority wanted) {
    member_verdict v{"min_priority",
                     ev_.priority >= wanted,
                     quoted(to_string(wanted)),
                     quoted(to_string(ev_.priority)),
                     {}};
    if (!v.matched)
      v.why = "the event's is " + v.found + ", which is below it";
    add(std::move(v));
  }

  void condition(const std::string& path, const std::string& wanted,
                 event_probe& probe) {
    const auto at = probe.at(path);
    const auto scalar = at ? scalar_text(*at) : std::nullopt;
    member_verdict v{
        path, scalar == wanted, wanted, scalar ? *scalar : std::string{}, {}};
    if (!at)
      v.why = "there is nothing at this path";
    else if (!scalar)
      v.why = "there is an object or an array, not a single value";
    else if (!v.matched)
      v.why = "there is " + shown(v.found) +
              (same_text(wanted, v.found) ? ", which is another type" : "");
    add(std::move(v));
  }

 private:
  /// `"12"` and `12`, say.
  static bool same_text(std::string_view a, std::string_view b) {
    const auto bare = [](std::string_view t) {
      const bool is_text = t.size() > 1 && t.front() == '"';
      return is_text ? t.substr(1, t.size() - 2) : t;
    };
    return bare(a) == bare(b);
  }

  void add(member_verdict v) {
    out_.matched = out_.matched && v.matched;
    out_.members.push_back(std::move(v));
  }

  const event& ev_;
  filter_explanation& out_;
};

} // namespace

filter_explanation explain(const filter& f, const event& ev) {
  filter_explanation out;
  explainer tell{ev, out};
  const filter_part part{f};
  probe_buffers buffers;
  event_probe probe{ev, buffers};
  tell.list("platforms", f.platforms, ev.platform,
            part.platforms.contains(ev.platform));
  tell.list("event_types", f.event_types, ev.event_type,
            part.types.contains_type(ev.event_type));
  tell.list("source_ids", f.source_ids, ev.source_id,
            part.source_ids.contains(ev.source_id));
  tell.list("source_names", f.source_names, ev.source_name,
            part.source_names.contains(ev.source_name));
  tell.list("actor_ids", f.actor_ids, ev.actor_id,
            part.actor_ids.contains(ev.actor_id));
  tell.list("correlation_ids", f.correlation_ids, probe.thread(),
            part.threads.contains_any(probe.threads()));
  if (f.min_priority)
    tell.least_priority(*f.min_priority);
  for (const auto& [path, wanted] : f.custom_filters)
    tell.condition(path, wanted, probe);
  return out;
}

std::string explanation_json(const filter_explanation& e) {
  std::string out = R"({"matched":)";
  out += e.matched ? "true" : "false";
  out += R"(,"members":[)";
  bool first = true;
  for (const auto& m : e.members) {
    if (!std::exchange(first, false))
      out += ',';
    out += R"({"member":)";
    append_quoted(out, m.member);
    out += m.matched ? R"(,"matched":true,"wanted":)"
                     : R"(,"matched":false,"wanted":)";
    out += m.wanted;
    out += R"(,"found":)";
    out += m.found.empty() ? "null" : m.found;
    out += R"(,"why":)";
    if (m.why.empty())
      out += "null";
    else
      append_quoted(out, m.why);
    out += '}';
  }
  return out += "]}";
}

} // namespace eventweft::codec
