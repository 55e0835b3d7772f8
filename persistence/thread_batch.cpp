// SPDX-License-Identifier: Apache-2.0
#include "persistence/thread_batch.hpp"

#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "correlation/keys.hpp"
#include "persistence/batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace eventweft::thread_batch {
namespace {

using correlation::event_family;
using correlation::sha_family;

constexpr size_t full_sha = sha_family.size() + 40;

// Bytes of the matched text that are kept: enough for a person to see why.
constexpr size_t max_matched = 200;

void sort_unique(std::vector<std::string>& texts) {
  std::ranges::sort(texts);
  const auto rest = std::ranges::unique(texts);
  texts.erase(rest.begin(), rest.end());
}

bool is_storable(std::string_view text) noexcept {
  return text.find('\0') == std::string_view::npos && codec::is_utf8(text);
}

void make_storable(std::string& text, size_t limit) {
  text.resize(codec::utf8_prefix(text, limit).size());
  if (!is_storable(text))
    text = storable_text(text);
}

void look_for(const correlation_key& k, float threshold, lookup& out) {
  if (k.is_fact()) {
    out.facts.push_back(k.key);
    out.waited_for.push_back(k.key);
    return;
  }
  if (k.confidence < threshold && k.needs.empty())
    return;
  const bool is_sha = k.key.starts_with(sha_family);
  if (is_sha && k.key.size() < full_sha) {
    out.prefixes.push_back(k.key);
    return;
  }
  if (is_sha && k.confidence >= threshold)
    out.waited_for.push_back(correlation::sha_fact(
        std::string_view{k.key}.substr(sha_family.size())));
  if (!k.needs.empty())
    out.facts.push_back(k.needs);
  // Who waits for it to come.
  if (k.is_identity() && k.key.starts_with(event_family))
    out.waited_for.push_back(k.key);
  if (const auto id = correlation::own_id_in(k.key)) {
    out.keys.push_back(correlation::other_name_of(k.key, *id));
    if (!k.is_identity())
      out.ids.push_back(*id);
  }
  out.keys.push_back(storable_key(k.key));
}

} // namespace

lookup to_look_up(std::span<const correlation::join_input> events,
                  float threshold) {
  lookup out;
  for (const auto& e : events) {
    for (const auto& k : e.keys)
      look_for(k, threshold, out);
    if (e.stored) {
      out.ids.push_back(e.id);
      out.keys.push_back(correlation::correlation_id_key(e.id));
    }
  }
  for (auto* texts : {&out.keys, &out.facts, &out.waited_for, &out.prefixes})
    sort_unique(*texts);
  std::ranges::sort(out.ids);
  const auto rest = std::ranges::unique(out.ids);
  out.ids.erase(rest.begin(), rest.end());
  return out;
}

std::vector<uuid> ids_of(std::span<const rejoined_event> events) {
  std::vector<uuid> out;
  for (const auto& e : events)
    out.push_back(e.stored->id);
  return out;
}

std::vector<correlation::join_input>
still_there(std::span<const rejoined_event> events,
            std::span<const correlation::stored_row> stored) {
  std::set<uuid> there;
  for (const auto& row : stored)
    there.insert(row.event);
  std::vector<correlation::join_input> out;
  for (const auto& e : events)
    if (there.contains(e.stored->id))
      out.push_back({e.stored->id, e.stored->created_at, e.keys, true});
  return out;
}

std::string storable_key(std::string_view key) {
  return is_storable(key) ? std::string{key} : storable_text(key);
}

std::string evidence_json(const correlation_key& k) {
  std::string out;
  const auto text = [&](std::string_view name, std::string_view value) {
    out += out.empty() ? "{\"" : ",\"";
    out.append(name).append("\":");
    codec::append_quoted(out, value);
  };
  text("key", k.key);
  text("type", to_string(k.type));
  text("needs", k.needs);
  text("rule", k.rule);
  text("field", k.field);
  text("matched", k.matched);
  out += fmt::format(R"(,"confidence":{},"window":{},"from_text":{}}})",
                     k.confidence, k.window, k.from_text);
  return out;
}

std::optional<correlation_key> parse_evidence(std::string_view json) {
  codec::payload_reader reader;
  const auto root = reader.parse(json);
  if (!root || !root->is_object())
    return std::nullopt;
  correlation_key k;
  k.key = codec::string_at(*root, "/key");
  k.needs = codec::string_at(*root, "/needs");
  k.rule = codec::string_at(*root, "/rule");
  k.field = codec::string_at(*root, "/field");
  k.matched = codec::string_at(*root, "/matched");
  const auto type = parse_correlation_type(codec::string_at(*root, "/type"));
  if (!type || k.key.empty())
    return std::nullopt;
  k.type = *type;
  double confidence = 0;
  uint64_t window = 0;
  if ((*root)["confidence"].get(confidence) == simdjson::SUCCESS)
    k.confidence = static_cast<float>(confidence);
  if ((*root)["window"].get(window) == simdjson::SUCCESS)
    k.window = static_cast<uint32_t>(window);
  bool from_text = false;
  if ((*root)["from_text"].get(from_text) == simdjson::SUCCESS)
    k.from_text = from_text;
  return k;
}

std::string behind_prefix(std::string prefix) {
  while (prefix.size() > 1 && prefix.back() == '\xff')
    prefix.pop_back();
  prefix.back() =
      static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

event as_it_arrived(event stored, std::span<const thread_link> evidence) {
  // Without evidence nothing was looked for, so nothing was found.
  if (evidence.empty())
    return stored;
  stored.correlation_id.reset();
  stored.parent_event_id.reset();
  for (const auto& l : evidence)
    if (l.rule == "trace") {
      if (l.field == "correlation_id")
        stored.correlation_id = uuid::parse(l.matched);
      else if (l.field == "parent_event_id")
        stored.parent_event_id = uuid::parse(l.matched);
    }
  return stored;
}

void make_storable(correlation::thread_changes& changes) {
  for (auto& k : changes.keys)
    make_storable(k.key, correlation::max_key_size);
  for (auto& f : changes.facts) {
    make_storable(f.fact, correlation::max_key_size);
    make_storable(f.value, correlation::max_key_size);
  }
  for (auto* rows : {&changes.pending, &changes.resolved})
    for (auto& p : *rows) {
      make_storable(p.fact, correlation::max_key_size);
      make_storable(p.key.key, correlation::max_key_size);
      make_storable(p.key.matched, max_matched);
    }
  std::set<std::tuple<std::string, uuid, std::string>> waits;
  std::erase_if(changes.pending, [&](const auto& p) {
    return !waits.emplace(p.fact, p.event, p.key.key).second;
  });
  std::map<std::pair<uuid, std::string_view>, size_t> seen;
  std::vector<correlation::link_row*> kept;
  kept.reserve(changes.links.size());
  for (auto& l : changes.links) {
    make_storable(l.key.key, correlation::max_key_size);
    make_storable(l.key.rule, max_matched);
    make_storable(l.key.field, max_matched);
    make_storable(l.key.matched, max_matched);
    const auto [at, fresh] =
        seen.try_emplace({l.event, l.key.key}, kept.size());
    if (fresh)
      kept.push_back(&l);
    else if (l.why == correlation::not_linked::none &&
             kept[at->second]->why != correlation::not_linked::none)
      kept[at->second] = &l;
  }
  if (kept.size() == changes.links.size())
    return;
  std::vector<correlation::link_row> links;
  links.reserve(kept.size());
  for (auto* l : kept)
    links.push_back(std::move(*l));
  changes.links = std::move(links);
}

std::map<uuid, growth_detail>
growth_details(std::span<const event_ptr> events,
               std::span<const std::optional<uuid>> threads, seq_t first) {
  std::map<uuid, growth_detail> out;
  for (size_t i = 0; i < events.size(); ++i) {
    if (!threads[i])
      continue;
    auto& g = out[*threads[i]];
    g.last_seq = first + static_cast<seq_t>(i);
    const auto& platform = events[i]->platform;
    const auto at = std::ranges::lower_bound(g.platforms, platform);
    if (at == g.platforms.end() || *at != platform)
      g.platforms.insert(at, platform);
  }
  return out;
}

std::vector<event_ptr>
merge_events(std::span<const correlation::thread_merge> merges, timestamp now,
             seq_t first) {
  std::vector<event_ptr> out;
  out.reserve(merges.size());
  system_random random;
  for (const auto& m : merges) {
    auto ev = correlation::merge_event(m, uuid::v7(now, random), now);
    ev.seq = first + static_cast<seq_t>(out.size());
    out.emplace_back(std::move(ev));
  }
  return out;
}

void count_merges(std::span<const event_ptr> merge_events,
                  correlation::thread_changes& changes,
                  std::map<uuid, growth_detail>& details) {
  for (const auto& ev : merge_events) {
    const auto& thread = *ev->correlation_id;
    auto at = std::ranges::find(changes.growth, thread,
                                &correlation::thread_growth::thread);
    if (at == changes.growth.end())
      at = changes.growth.insert(
          at, {thread, 0, ev->created_at, ev->created_at, false});
    ++at->events;
    at->first = std::min(at->first, ev->created_at);
    at->last = std::max(at->last, ev->created_at);
    auto& last = details[thread].last_seq;
    last = std::max(last, ev->seq);
  }
}

thread_report report_of(const correlation::join_result& joined,
                        std::vector<event_ptr> merges) {
  thread_report out;
  out.merges = std::move(merges);
  for (const auto& f : joined.changes.facts)
    out.facts.emplace_back(f.fact, f.value);
  out.hot_keys = joined.hot_keys;
  out.huge_keys = joined.huge_keys;
  for (const auto& m : joined.changes.members)
    if (m.adopted)
      out.news.links.push_back({m.event, m.thread});
  for (const auto& p : joined.changes.parents)
    out.news.links.push_back({p.event, std::nullopt, p.parent});
  out.news.names = joined.names;
  out.linked = joined.changes.members.size();
  out.started = static_cast<uint64_t>(std::ranges::count_if(
      joined.changes.growth, [](const auto& g) { return g.fresh; }));
  return out;
}

std::vector<correlation_key>
not_linked_yet(const std::vector<correlation_key>& keys,
               std::span<const thread_link> evidence) {
  constexpr std::string_view bare_slack = "slack:thread::";
  const auto is_known = [&](const correlation_key& k) {
    return std::ranges::any_of(evidence, [&](const thread_link& l) {
      // What waits is known as well; it links by itself. But what it waited for
      // is there by now: it was one of too many (join_limits::max_waiting).
      if (l.state != "linked" && (l.state != "pending" || k.needs.empty()))
        return false;
      const auto key = storable_key(k.key);
      if (l.key == key)
        return true;
      if (k.needs.empty())
        return false;
      // It may have been resolved since.
      if (key.starts_with(sha_family))
        return l.key.starts_with(key);
      if (correlation::is_pr_of_commit(key))
        return l.type == to_string(k.type) && l.matched == k.matched;
      return key.starts_with(bare_slack) &&
             l.key.starts_with("slack:thread:") &&
             l.key.ends_with(":" + key.substr(bare_slack.size()));
    });
  };
  std::vector<correlation_key> out;
  for (const auto& k : keys)
    if (k.is_fact() || !is_known(k))
      out.push_back(k);
  return out;
}

} // namespace eventweft::thread_batch
