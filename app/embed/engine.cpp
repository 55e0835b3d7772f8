// SPDX-License-Identifier: Apache-2.0
#include "app/embed/app_impl.hpp"
#include "app/embed/handlers.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

namespace eventweft {

namespace {

/// As many handlers of one event type may go without a name.
constexpr int max_unnamed = 1'000;

} // namespace

// "From now on" is from this call on, not from when the engine comes to it.
void App::Impl::hand_over_handlers(net::backend& line) {
  for (const auto& [key, handler] : handlers) {
    if (processors->find(key))
      continue;
    auto p = handler;
    if (p.start.from == start_point::kind::now) {
      try {
        p.start = start_point::after(embed::cursor_of(p.start, line));
      } catch (const Error& e) {
        // With the store away there is no end of the log to be had.
        if (e.code() != Errc::store_unavailable && e.code() != Errc::timed_out)
          throw;
      }
    }
    embed::unwrap(processors->add(std::move(p)));
  }
}

void App::Impl::register_processor(ProcessorSpec spec) {
  auto p = embed::to_processor(std::move(spec));
  embed::unwrap(processing::check(p));
  const auto key = p.name;
  std::lock_guard guard{handlers_mutex};
  if (const auto there = processors->find(key))
    embed::raise(processing::name_taken(there->what));
  if (const auto [at, fresh] = handlers.emplace(key, std::move(p)); !fresh)
    embed::raise(processing::name_taken(at->second));
  try {
    std::shared_lock lock{gate};
    if (hub)
      hand_over_handlers(hub->actors().backend());
  } catch (...) {
    handlers.erase(key);
    throw;
  }
}

bool App::Impl::unregister_processor(std::string_view key) {
  std::lock_guard guard{handlers_mutex};
  const bool known = processors->remove(key);
  const auto found = handlers.find(key);
  if (found == handlers.end())
    return known;
  handlers.erase(found);
  return true;
}

Platform& Platform::on(std::string_view event_type, Handler handler,
                       ProcessorOptions options) {
  Filter filter;
  filter.platforms = {name_};
  filter.event_types = {std::string{event_type}};
  auto& s = *app_.impl_;
  if (!options.name.empty()) {
    s.register_processor(
        {options.name, std::move(filter), std::move(handler), options});
    return *this;
  }
  const auto name = embed::processor_name(name_, event_type);
  for (int n = 1;; ++n) {
    try {
      s.register_processor({n == 1 ? name : name + '.' + std::to_string(n),
                            filter, handler, options});
      return *this;
    } catch (const Error& e) {
      if (e.code() != Errc::conflict || n == max_unnamed)
        throw;
    }
  }
}

void EventEngine::register_processor(ProcessorSpec spec) {
  app_.impl_->register_processor(std::move(spec));
}

bool EventEngine::unregister_processor(std::string_view name) {
  return app_.impl_->unregister_processor(name);
}

namespace {

uint32_t seconds_of(std::chrono::seconds window) {
  constexpr int64_t most = std::numeric_limits<uint32_t>::max();
  return static_cast<uint32_t>(std::clamp<int64_t>(window.count(), 0, most));
}

correlation_key internal(CorrelationKey k) {
  correlation_key out;
  out.key = std::move(k.key);
  out.type = {correlation_noun::event, correlation_noun::custom};
  if (!k.type.empty()) {
    const auto type = parse_correlation_type(k.type);
    if (!type)
      throw std::invalid_argument{"no correlation type: " + k.type};
    out.type = *type;
  }
  out.confidence = std::clamp(k.confidence, 0.0F, 1.0F);
  out.window = seconds_of(k.window);
  return out;
}

} // namespace

void App::Impl::add_rule(correlation::rule_ptr rule) {
  std::lock_guard once{lifecycle};
  std::shared_lock lock{gate};
  if (hub)
    throw Error{Errc::conflict, "rules are taken before the app starts"};
  rules.push_back(std::move(rule));
}

void EventEngine::add_correlation_rule(const CorrelationRule& rule) {
  correlation::declarative_rule definition;
  definition.name = rule.name;
  definition.match = embed::access::internal(rule.filter);
  definition.key = rule.key;
  definition.field = rule.field;
  definition.pattern = rule.pattern;
  definition.confidence = rule.confidence;
  definition.window = seconds_of(rule.window);
  app_.impl_->add_rule(
      embed::unwrap(correlation::make_declarative_rule(definition)));
}

void EventEngine::add_function(
    std::string name,
    std::function<std::vector<CorrelationKey>(const Event&)> f) {
  if (name.empty())
    throw Error{Errc::bad_configuration, "a correlation rule needs a name"};
  app_.impl_->add_rule(correlation::make_function_rule(
      std::move(name), [f = std::move(f)](const event& ev) {
        correlation::custom_keys out;
        for (auto& k : f(embed::access::wrap(event_ptr{ev})))
          out.push_back(internal(std::move(k)));
        return out;
      }));
}

std::vector<std::string> EventEngine::processors() const {
  auto& s = *app_.impl_;
  std::set<std::string> names;
  std::lock_guard guard{s.handlers_mutex};
  for (const auto& [name, handler] : s.handlers)
    names.insert(name);
  for (const auto& p : s.processors->all())
    names.insert(p->what.name);
  return {names.begin(), names.end()};
}

} // namespace eventweft
