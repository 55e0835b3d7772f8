// SPDX-License-Identifier: Apache-2.0
#include "app/embed/app_impl.hpp"
#include "app/embed/handlers.hpp"

namespace eventweft {

namespace {

/// As many handlers of one event type may go without a name.
constexpr int max_unnamed = 1'000;

} // namespace

void App::Impl::register_processor(ProcessorSpec spec) {
  embed::unwrap(processors->add(embed::to_processor(std::move(spec))));
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
  return app_.impl_->processors->remove(name);
}

void EventEngine::add_correlation_rule(const CorrelationRule& rule) {
  correlation::declarative_rule definition;
  definition.name = rule.name;
  definition.match = embed::access::internal(rule.filter);
  definition.key = rule.key;
  definition.field = rule.field;
  definition.pattern = rule.pattern;
  definition.confidence = rule.confidence;
  auto made = embed::unwrap(correlation::make_declarative_rule(definition));
  auto& s = *app_.impl_;
  std::lock_guard once{s.lifecycle};
  if (app_.running())
    throw Error{Errc::conflict, "rules are taken before the app starts"};
  s.rules.push_back(std::move(made));
}

std::vector<std::string> EventEngine::processors() const {
  std::vector<std::string> out;
  for (const auto& p : app_.impl_->processors->all())
    out.push_back(p->what.name);
  return out;
}

} // namespace eventweft
