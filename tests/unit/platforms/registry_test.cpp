// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/registry.hpp"
#include "tests/unit/platforms/support.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace eventweft::platforms {
namespace {

class registry_test : public platform_test {
 protected:
  expected<std::vector<platform_ptr>>
  make(const std::map<std::string, config::platform_settings>& settings,
       const std::filesystem::path& directory = {}) {
    return make_platforms(settings, clock_, random_, directory);
  }

  static bool has(const std::vector<platform_ptr>& all, std::string_view name) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& p) { return p->name() == name; });
  }
};

TEST_F(registry_test, makes_what_is_not_configured_too) {
  const auto all = make({}).value();
  EXPECT_TRUE(has(all, "github"));
}

TEST_F(registry_test, leaves_out_what_is_switched_off) {
  config::platform_settings off;
  off.enabled = false;
  EXPECT_FALSE(has(make({{"github", off}}).value(), "github"));
}

// EVENTWEFT_PLATFORMS_STANDARD_WEBHOOKS_SECRET has no other way to say it.
TEST_F(registry_test, takes_underscores_for_hyphens) {
  config::platform_settings off;
  off.enabled = false;
  const auto made = make({{"standard_webhooks", off}});
  ASSERT_TRUE(made);
  EXPECT_FALSE(has(*made, "standard-webhooks"));
  EXPECT_TRUE(has(make({}).value(), "standard-webhooks"));
}

TEST_F(registry_test, names_a_section_without_a_platform) {
  const auto made = make({{"githup", {}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ec::bad_configuration);
  EXPECT_NE(made.error().message.find("platforms.githup"), std::string::npos);
}

TEST_F(registry_test, says_that_secrets_are_of_no_use_beside_tokens) {
  config::platform_settings both;
  both.secrets = {"sec1"};
  ASSERT_TRUE(make({{"events", both}}));
  both.tokens = {"tok1"};
  const auto made = make({{"events", both}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ec::bad_configuration);
  EXPECT_EQ(made.error().message,
            "[platforms.events] secrets: are of no use beside tokens: senders "
            "of this platform show one, and sign nothing");
}

TEST_F(registry_test, says_that_a_tolerance_is_of_no_use_without_a_time) {
  config::platform_settings narrow;
  narrow.tolerance = std::chrono::seconds{5};
  for (const std::string name : {"github", "events", "vercel"}) {
    const auto made = make({{name, narrow}});
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, ec::bad_configuration);
    EXPECT_EQ(made.error().message,
              "[platforms." + name +
                  "] tolerance: is of no use, since this platform's webhooks "
                  "carry no signed time that could be checked: leave it out");
  }
  for (const std::string name :
       {"slack", "linear", "deployments", "stripe", "standard-webhooks"})
    EXPECT_TRUE(make({{name, narrow}})) << name;
}

TEST_F(registry_test, names_what_is_wrong_in_all_definitions) {
  const auto directory = std::filesystem::path{::testing::TempDir()} /
                         ("definitions-" + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  const std::string event = "[[signature]]\nheader = \"x\"\n"
                            "algorithm = \"token\"\n"
                            "[event]\nid = \"{digest}\"\ntype = \"t\"\n";
  std::ofstream{directory / "a.toml"} << "name = \"A\"\n";
  std::ofstream{directory / "b.toml"} << "name = \n";
  std::ofstream{directory / "c.toml"} << "\nname = \"github\"\n" + event;
  std::ofstream{directory / "d.toml"} << "name = \"twice\"\n" + event;
  std::ofstream{directory / "e.toml"} << "\n\nname = \"twice\"\n" + event;
  const auto made = make({}, directory);
  std::filesystem::remove_all(directory);
  ASSERT_FALSE(made);
  for (const auto* fault :
       {"a.toml:1: name: must be", "a.toml:1: event: is",
        "b.toml:1: ", "c.toml:2: name: github belongs to a platform",
        "e.toml:3: name: twice is taken by "})
    EXPECT_NE(made.error().message.find(fault), std::string::npos)
        << made.error().message;
}

} // namespace
} // namespace eventweft::platforms
