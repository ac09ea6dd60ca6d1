#include "tls/function_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace noded::tls {
namespace {

using testing::HasSubstr;

TEST(FunctionRegistryTest, FindsWhatWasRegisteredAndTheLaterOfTwo) {
  FunctionRegistry registry;
  for (const char* word : {"first", "second"}) {
    registry.RegisterUserLookupFun(
        "shop:keys", [word](std::string_view, const std::any&) { return Secret(word); });
  }
  auto fun = registry.FindUserLookupFun("shop:keys");
  ASSERT_TRUE(fun.ok()) << fun.status();
  EXPECT_EQ((*fun)("x", {})->view(), "second");
}

TEST(FunctionRegistryTest, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
  FunctionRegistry registry;
  EXPECT_THAT(registry.FindVerifyFun("shop:pin").status().message(), HasSubstr("none is"));
  const VerifyFun pass = [](const CertificateInfo&, const VerifyEvent&, std::any state) {
    return VerifyAnswer::Valid(std::move(state));
  };
  registry.RegisterVerifyFun("shop:pin", pass);
  registry.RegisterVerifyFun("a:b", pass);
  const absl::Status status = registry.FindVerifyFun("shop:pim").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("no verify_fun 'shop:pim'"));
  EXPECT_THAT(status.message(), HasSubstr("did you mean 'shop:pin'?"));
  EXPECT_THAT(status.message(), HasSubstr("known are a:b, shop:pin"));
}

TEST(FunctionRegistryTest, EachKindHasNamesOfItsOwn) {
  FunctionRegistry registry;
  registry.RegisterPartialChain("a:b",
                                [](const std::vector<base::Slice>&) { return base::Slice(); });
  registry.RegisterSniFun("a:c", [](std::string_view) { return nullptr; });
  registry.RegisterReuseSession("a:d", [](const base::Slice&, const CertificateInfo*, Version,
                                          std::string_view) { return false; });
  EXPECT_TRUE(registry.FindPartialChain("a:b").ok());
  EXPECT_TRUE(registry.FindSniFun("a:c").ok());
  EXPECT_TRUE(registry.FindReuseSession("a:d").ok());
  EXPECT_FALSE(registry.FindSniFun("a:b").ok());
}

}  // namespace
}  // namespace noded::tls
