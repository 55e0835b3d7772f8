// SPDX-License-Identifier: Apache-2.0
#include "app/spool_adapter.hpp"

#include "persistence/spool.hpp"

#include <utility>

namespace eventweft {

namespace {

class open_spool_port final : public spool_port {
 public:
  explicit open_spool_port(std::unique_ptr<spool> inner)
      : inner_(std::move(inner)) {}

  expected<void> append(std::span<const event_ptr> events) override {
    return inner_->append(events);
  }
  expected<std::vector<event_ptr>> peek(size_t max) override {
    return inner_->peek(max);
  }
  expected<void> drop(size_t count) override { return inner_->drop(count); }
  expected<spool_state> state() override { return inner_->state(); }

 private:
  std::unique_ptr<spool> inner_;
};

/// A spool that could not be opened again: says so to everybody.
class broken_spool_port final : public spool_port {
 public:
  explicit broken_spool_port(error why) : why_(std::move(why)) {}

  expected<void> append(std::span<const event_ptr>) override {
    return fail(why_);
  }
  expected<std::vector<event_ptr>> peek(size_t) override { return fail(why_); }
  expected<void> drop(size_t) override { return fail(why_); }
  expected<spool_state> state() override { return fail(why_); }

 private:
  error why_;
};

} // namespace

expected<spool_source::opener>
spool_source::open(const config::store_settings& settings) {
  if (settings.spool_directory.empty())
    return opener{};
  spool_options options;
  options.directory = settings.spool_directory;
  options.max_bytes = settings.spool_max_bytes;
  auto opened = spool::open(options);
  if (!opened)
    return fail(opened.error().code == ec::corrupt ? ec::corrupt
                                                   : ec::bad_configuration,
                "[store] spool_directory: " + opened.error().message);
  auto held = std::make_shared<std::unique_ptr<spool>>(std::move(*opened));
  return opener{[held, options]() -> std::unique_ptr<spool_port> {
    if (*held)
      return std::make_unique<open_spool_port>(std::move(*held));
    auto again = spool::open(options);
    if (!again)
      return std::make_unique<broken_spool_port>(again.error());
    return std::make_unique<open_spool_port>(std::move(*again));
  }};
}

} // namespace eventweft
