"""The pages inside WeChat: (visit) → Page, Redirect or Download; one use case each, no SQL."""
