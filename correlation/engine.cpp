// SPDX-License-Identifier: Apache-2.0
#include "correlation/engine.hpp"

#include "correlation/joiner.hpp"
#include "correlation/rules/builtin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace eventweft::correlation {

namespace {

// To be raised when a built-in rule reads other keys than before.
constexpr int builtin_version = 5;

struct kept_rule {
  kept_rule(rule_ptr r, rule_origin origin, uint32_t limit)
      : it(std::move(r)), from(origin), health(limit) {}
  rule_ptr it;
  rule_origin from;
  mutable rule_health health;
};

// Never changed, but replaced by another one.
using rule_list = std::vector<std::shared_ptr<const kept_rule>>;
using rule_list_ptr = std::shared_ptr<const rule_list>;

const kept_rule* find_rule(const rule_list& rules, std::string_view name) {
  for (const auto& each : rules)
    if (each->it->name() == name)
      return each.get();
  return nullptr;
}

// Empty if it went well.
std::string run(const rule& r, const rule_input& in,
                std::vector<correlation_key>& out) {
  const size_t before = out.size();
  std::string what;
  try {
    claims collected{in, r.name(), out};
    r.apply(in, collected);
    collected.finish();
    return {};
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "something that is no std::exception";
  }
  out.resize(before);
  return what.empty() ? "an exception without a text" : what;
}

bool stronger(const correlation_key& a, const correlation_key& b) noexcept {
  if (a.is_identity() != b.is_identity())
    return a.is_identity();
  if (a.confidence != b.confidence)
    return a.confidence > b.confidence;
  return !a.from_text && b.from_text;
}

void keep_strongest(std::vector<correlation_key>& keys, size_t limit) {
  std::vector<correlation_key> kept;
  kept.reserve(keys.size());
  for (auto& key : keys) {
    auto same = std::find_if(kept.begin(), kept.end(), [&](const auto& k) {
      return k.key == key.key && k.is_fact() == key.is_fact();
    });
    if (same == kept.end())
      kept.push_back(std::move(key));
    else if (stronger(key, *same))
      *same = std::move(key);
  }
  if (kept.size() > limit) {
    std::stable_sort(kept.begin(), kept.end(), stronger);
    kept.resize(limit);
  }
  keys = std::move(kept);
}

} // namespace

struct engine::state {
  std::shared_ptr<vocabulary> known;
  engine_options options;
  mutable std::shared_mutex mutex;
  rule_list_ptr rules = std::make_shared<const rule_list>();

  /// Good for one event.
  rule_list_ptr current() const {
    std::shared_lock lock{mutex};
    return rules;
  }

  std::shared_ptr<const kept_rule> keep(rule_ptr r, rule_origin from) const {
    return std::make_shared<const kept_rule>(std::move(r), from,
                                             options.max_failures);
  }

  rule_input input(const event& ev,
                   const simdjson::dom::element* payload) const {
    rule_input in{.ev = ev,
                  .payload = {},
                  .known = *known,
                  .threshold = options.threshold,
                  .max_mentions = options.max_mentions,
                  .branch_window = options.branch_window};
    if (payload && payload->is_object())
      in.payload = *payload;
    return in;
  }
};

engine::engine(std::shared_ptr<vocabulary> known, engine_options options)
    : state_(std::make_unique<state>()) {
  state_->known = std::move(known);
  state_->options = std::move(options);
  rule_list rules;
  for (auto& r : builtin_rules())
    rules.push_back(state_->keep(std::move(r), rule_origin::built_in));
  state_->rules = std::make_shared<const rule_list>(std::move(rules));
}

engine::~engine() = default;
engine::engine(engine&&) noexcept = default;
engine& engine::operator=(engine&&) noexcept = default;

expected<void> engine::add(rule_ptr r, rule_origin from) {
  std::unique_lock lock{state_->mutex};
  if (find_rule(*state_->rules, r->name()) != nullptr)
    return fail(ec::conflict, "there is already a correlation rule \"" +
                                  std::string{r->name()} + "\"");
  auto rules = *state_->rules;
  rules.push_back(state_->keep(std::move(r), from));
  state_->rules = std::make_shared<const rule_list>(std::move(rules));
  return {};
}

stored_rule_changes engine::replace_stored(std::vector<rule_ptr> rules) {
  stored_rule_changes out;
  // Goes after the lock.
  rule_list_ptr before;
  std::unique_lock lock{state_->mutex};
  before = state_->rules;
  rule_list after;
  for (const auto& each : *before)
    if (each->from != rule_origin::store)
      after.push_back(each);
  for (auto& r : rules) {
    std::string name{r->name()};
    if (find_rule(after, name) != nullptr) {
      out.hidden.push_back(std::move(name));
      continue;
    }
    const auto same = std::ranges::find_if(*before, [&](const auto& each) {
      return each->from == rule_origin::store && each->it->name() == name &&
             each->it->fingerprint() == r->fingerprint();
    });
    if (same != before->end()) {
      after.push_back(*same);
      continue;
    }
    after.push_back(state_->keep(std::move(r), rule_origin::store));
    out.set.push_back(std::move(name));
  }
  for (const auto& each : *before)
    if (find_rule(after, each->it->name()) == nullptr)
      out.gone.emplace_back(each->it->name());
  state_->rules = std::make_shared<const rule_list>(std::move(after));
  return out;
}

std::vector<correlation_key>
engine::keys(const event& ev, const simdjson::dom::element* payload) const {
  std::vector<correlation_key> out;
  const auto in = state_->input(ev, payload);
  size_t used = 0;
  const auto rules = state_->current();
  for (const auto& each : *rules) {
    const auto& e = *each;
    if (!e.health.enabled() || !e.it->wants(ev))
      continue;
    const auto what = run(*e.it, in, out);
    if (what.empty()) {
      e.health.succeeded();
      ++used;
      continue;
    }
    const bool disabled = e.health.failed();
    if (state_->options.on_failure)
      state_->options.on_failure(e.it->name(), what, disabled);
  }
  if (used > 1 || out.size() > state_->options.max_keys)
    keep_strongest(out, state_->options.max_keys);
  return out;
}

std::vector<correlation_key> engine::keys(const event& ev,
                                          codec::payload_reader& reader) const {
  const auto root = reader.parse(ev.payload);
  return keys(ev, root ? &*root : nullptr);
}

std::vector<correlation_key>
engine::keys_of_late(const event& ev, codec::payload_reader& reader) const {
  auto out = keys(ev, reader);
  out.push_back(own_id_key(ev.id));
  return out;
}

std::vector<rule_report> engine::explain(const event& ev,
                                         codec::payload_reader& reader) const {
  const auto root = reader.parse(ev.payload.view());
  const auto in = state_->input(ev, root ? &*root : nullptr);
  std::vector<rule_report> reports;
  const auto rules = state_->current();
  for (const auto& each : *rules) {
    const auto& e = *each;
    auto& report = reports.emplace_back();
    report.rule = e.it->name();
    report.disabled = !e.health.enabled();
    report.applied = e.it->wants(ev);
    if (report.applied)
      report.error = run(*e.it, in, report.keys);
  }
  return reports;
}

std::vector<rule_state> engine::rules() const {
  std::vector<rule_state> out;
  const auto rules = state_->current();
  for (const auto& e : *rules) {
    auto& one = out.emplace_back();
    one.name = e->it->name();
    one.enabled = e->health.enabled();
    one.applied = e->health.applied();
    one.failures = e->health.failures();
    one.origin = e->from;
    if (const auto* definition = e->it->definition())
      one.definition = *definition;
  }
  return out;
}

size_t engine::disabled() const {
  const auto rules = state_->current();
  return static_cast<size_t>(std::ranges::count_if(
      *rules, [](const auto& e) { return !e->health.enabled(); }));
}

std::string engine::fingerprint() const {
  const auto& o = state_->options;
  auto text = fmt::format("{} {} {} {} {}", builtin_version, o.threshold,
                          o.max_mentions, o.max_keys, o.branch_window);
  const auto rules = state_->current();
  for (const auto& e : *rules)
    text.append(1, '\0').append(e->it->fingerprint());
  // FNV-1a: it tells rules apart and proves nothing.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

const std::shared_ptr<vocabulary>& engine::known() const noexcept {
  return state_->known;
}

const engine_options& engine::options() const noexcept {
  return state_->options;
}

} // namespace eventweft::correlation
