"""Legal persons (企业法人库): the companies of the district, and who stands for each of them."""
