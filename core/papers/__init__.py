"""Community papers (社区报): the issues of every street, and those of the district itself."""
